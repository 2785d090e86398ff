"""Links × involvements → hits; incidents at an employee's home → location hits; screened or not, and why."""
