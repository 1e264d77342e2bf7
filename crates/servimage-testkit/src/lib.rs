//! Goldens, fixtures and devices for tests
