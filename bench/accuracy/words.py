"""Sentences of docs/accuracy.md that do not depend on the figures."""

HEAD = """# Accuracy

Made by `make accuracy` from `docs/accuracy.json`; change the code under `bench/accuracy`, not this page. P is precision, R recall, F1
their harmonic mean; intervals are Wilson's, 95 %. True pairs that were never compared count as missed."""

FORCE_HEAD = """## The made-up force

The main job on invented people with known truth: precision and recall of links between employees and police person records, with
the reviewers' policy (`docs/matching.md`) deciding the tiers. *Supportable* leaves out true links whose record holds too little for anybody
to find them (a surname and nothing else, say). The errors are our own invention: the figures say how the job fares on the errors that we
thought of."""

CLASSES = """By what is wrong with the record, one row a class; a record can be in several, and a record with nothing wrong is `clean`. Where
true links are few, intervals are wide.

ALI another forename in use · DIG one digit of the date · DUTY the officer on duty, by name alone · FAL false particulars given · FLT flat
missing · GAR garbled name · INI initials only · JAN 1 January · MAR former or married name · MID no middle name · NCK nickname · NFA no fixed abode ·
NOA no address · NOD no date of birth · NUM wrong house number · OLD former address · ORD names exchanged · OTH another of the forenames ·
PCD postcode wrong or missing · SWP day and month exchanged · TRL other spelling or letters · TTL with a title · TYP slip of the
pen · YER wrong year · YRO year only."""

CARRIED = """What the records carry. A true link *carries* a tier when the policy's clauses grant it on both records' values as recorded, whatever the
blocking rules, the thresholds and the rivals then do. The policy was fixed by the force. The values are read by the same comparison as in
screening, so that what it cannot see leaves the denominator and counts as no miss: therefore the coarse bound (*supportable*) stands in the
last line but one, which asks nobody."""

ABLATION = """The same force screened with one thing less each time; what the records carry is always read with everything in place:"""

LOOK_ALIKES = """Records of relatives, housemates and namesakes of employees, each link to which is wrong:"""

STAGES = """At which stage true links were lost, and how many of them the policy would have shown on their values:"""

REASONS = """Error classes of which less than 0.85 of the supportable true links are shown, and why. What the policy holds back on its values,
whatever the score, counts as the policy's, also where no rule proposed the pair; *one element only* means that of name, date of birth and
address no two agree as recorded."""

SETS_HEAD = """## Openly available labelled files

`make accuracy OPEN_DATA=DIR` measures `jobs/link.py` and `jobs/dedupe.py` on febrl3 and febrl4 (FEBRL), fake_1000 and historical_half (half of
the entities of historical_50k), all from splink_datasets (MIT). The job gets a copy without the truth, with keys that say nothing, and
without identity numbers; the truth is used to measure, after every decision. Nothing was chosen with it: mappings follow the columns'
names (`bench/accuracy/mappings`), the cut is a probability of one half, and `--train` estimates from the files without labels.
These files have been looked at while the method was designed, so the figures flatter somewhat.

### Beside Splink 5.0.0

Splink's figures were measured by this project's owners on the same files and the same class of machine (two cores), and are held in
`bench/accuracy/peers.toml`: *default* is its own threshold of 0.95, *ceiling* the threshold that is best in hindsight. Ours stand at
our default alone. Compared in three digits."""

COMPONENTS = """P, R and F1 are of the pairs that stand in one cluster; B³ is B-cubed. Clusters are made by average linkage inside the
connected components of the linked pairs. What the components alone would give stands in the second table, at several cuts: there one false
link joins two people with all their records, and chains of doubtful pairs grow into one block."""

GUARD = """What the guard cuts in them at its default (`docs/person-files.md`), before it → after it. *Pairs of two people* stand in one
cluster and should not; *pairs of one person* do and should."""
