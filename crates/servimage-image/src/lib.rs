//! Image bytes to the rows of patches that the vision tower reads
