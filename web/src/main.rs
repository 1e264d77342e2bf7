//! The ServImage page.
fn main() {}
