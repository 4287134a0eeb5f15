"""What is asked of the students: an assignment's settings, its source and its release."""
