//! Trains the nano checkpoint: proxy data, training loop, evaluation, calibration
