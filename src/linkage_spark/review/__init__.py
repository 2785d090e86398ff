"""What reviewers say of what they were shown, and what follows from it."""
