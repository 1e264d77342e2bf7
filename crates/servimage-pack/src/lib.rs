//! The model pack: manifest, shards, hashes and tensor layouts
