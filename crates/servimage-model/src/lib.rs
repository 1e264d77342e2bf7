//! The ServImageModel network in burn, loaded from a pack
