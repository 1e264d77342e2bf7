//! Decoded pixels: RGB, 0..=255, sRGB, height x width x channel.

/// An image as every later step reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rgb8Image {
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
    /// `[height, width, 3]`, RGB, 0..=255, sRGB.
    pub pixels: Vec<u8>,
}

impl Rgb8Image {
    /// Wraps `[height, width, 3]` pixels; `None` where a side is 0 or the length does not fit the sides.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let fits = width > 0
            && height > 0
            && pixels.len() as u64 == u64::from(width) * u64::from(height) * 3;
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// An image of one colour.
    ///
    /// # Panics
    /// Where a side is 0.
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Self {
        assert!(
            width > 0 && height > 0,
            "an image has at least one pixel, asked for {width} x {height}"
        );
        let pixels = rgb.repeat(width as usize * height as usize);
        Self {
            width,
            height,
            pixels,
        }
    }

    /// Colour of the pixel in column `x` of row `y`.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let start = (y as usize * self.width as usize + x as usize) * 3;
        [
            self.pixels[start],
            self.pixels[start + 1],
            self.pixels[start + 2],
        ]
    }
}

impl std::fmt::Debug for Rgb8Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rgb8Image({} x {})", self.width, self.height)
    }
}
