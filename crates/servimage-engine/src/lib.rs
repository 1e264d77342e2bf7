//! Open a device, load a pack, test it, score images
