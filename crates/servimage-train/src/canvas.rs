//! A small painter: shapes as signed distances, painted over each other with antialiased edges.
//!
//! Coordinates: `y` runs 0..1 from top to bottom, `x` 0..`aspect` from left to right, so shapes keep their form in
//! every picture size. A shape is a function that is negative inside.

use crate::picture::Picture;

/// A point.
pub(crate) type Point = [f32; 2];
/// RGB, 0..=1, sRGB.
pub(crate) type Colour = [f32; 3];

/// A picture being painted.
pub(crate) struct Canvas {
    picture: Picture,
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self {
            picture: Picture::filled(width, height, [1.0; 3]),
        }
    }

    /// Width over height: the largest `x`.
    pub(crate) fn aspect(&self) -> f32 {
        self.picture.width as f32 / self.picture.height as f32
    }

    /// Paints every pixel.
    pub(crate) fn cover(&mut self, paint: impl Fn(Point) -> Colour) {
        self.blend(|p| (paint(p), 1.0));
    }

    /// Paints the inside of a shape.
    pub(crate) fn fill(&mut self, shape: impl Fn(Point) -> f32, paint: impl Fn(Point) -> Colour) {
        self.fill_alpha(shape, paint, 1.0);
    }

    /// Paints the inside of a shape, see-through by `1 - alpha`.
    pub(crate) fn fill_alpha(
        &mut self,
        shape: impl Fn(Point) -> f32,
        paint: impl Fn(Point) -> Colour,
        alpha: f32,
    ) {
        let pixel = 1.0 / self.picture.height as f32;
        self.blend(|p| {
            let coverage = (0.5 - shape(p) / pixel).clamp(0.0, 1.0);
            (
                if coverage > 0.0 { paint(p) } else { [0.0; 3] },
                coverage * alpha,
            )
        });
    }

    /// Paints a shape with an edge as wide as `softness`: shadows, glows, blush.
    pub(crate) fn glow(
        &mut self,
        shape: impl Fn(Point) -> f32,
        colour: Colour,
        softness: f32,
        alpha: f32,
    ) {
        self.blend(|p| {
            let t = (0.5 - shape(p) / (2.0 * softness)).clamp(0.0, 1.0);
            (colour, alpha * t * t * (3.0 - 2.0 * t))
        });
    }

    pub(crate) fn finish(self) -> Picture {
        self.picture
    }

    fn blend(&mut self, brush: impl Fn(Point) -> (Colour, f32)) {
        let (width, scale) = (self.picture.width, 1.0 / self.picture.height as f32);
        for (i, pixel) in self.picture.pixels.iter_mut().enumerate() {
            let point = [
                ((i % width) as f32 + 0.5) * scale,
                ((i / width) as f32 + 0.5) * scale,
            ];
            let (colour, alpha) = brush(point);
            if alpha > 0.0 {
                *pixel = mix(*pixel, colour, alpha);
            }
        }
    }
}

/// Between two colours, `t` in 0..=1.
pub(crate) fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t)
}

/// A colour made lighter (`gain` > 1) or darker.
pub(crate) fn lit(colour: Colour, gain: f32) -> Colour {
    colour.map(|v| (v * gain).clamp(0.0, 1.0))
}

/// A colour from hue (0..1, wraps), saturation and value (0..=1).
pub(crate) fn hsv(hue: f32, saturation: f32, value: f32) -> Colour {
    [0.0, 2.0 / 3.0, 1.0 / 3.0].map(|shift| {
        let k = ((hue + shift).rem_euclid(1.0) * 6.0 - 3.0).abs() - 1.0;
        value * (1.0 - saturation * (1.0 - k.clamp(0.0, 1.0)))
    })
}

/// Circle or ellipse; exact for circles, good near the edge for ellipses.
pub(crate) fn ellipse(centre: Point, radii: Point) -> impl Fn(Point) -> f32 {
    move |p| {
        let q = [(p[0] - centre[0]) / radii[0], (p[1] - centre[1]) / radii[1]];
        let length = q[0].hypot(q[1]);
        let slope = (q[0] / radii[0]).hypot(q[1] / radii[1]).max(1e-6);
        (length - 1.0) * length / slope
    }
}

/// Rectangle around a centre with rounded corners.
pub(crate) fn rounded_rect(centre: Point, half: Point, radius: f32) -> impl Fn(Point) -> f32 {
    move |p| {
        let dx = (p[0] - centre[0]).abs() - half[0] + radius;
        let dy = (p[1] - centre[1]).abs() - half[1] + radius;
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
    }
}

/// A stroke with round ends.
pub(crate) fn stroke(from: Point, to: Point, half_width: f32) -> impl Fn(Point) -> f32 {
    move |p| {
        let (ax, ay) = (p[0] - from[0], p[1] - from[1]);
        let (bx, by) = (to[0] - from[0], to[1] - from[1]);
        let t = ((ax * bx + ay * by) / (bx * bx + by * by).max(1e-9)).clamp(0.0, 1.0);
        (ax - bx * t).hypot(ay - by * t) - half_width
    }
}

/// Everything below a line `height(x)`.
pub(crate) fn below(height: impl Fn(f32) -> f32) -> impl Fn(Point) -> f32 {
    move |p| height(p[0]) - p[1]
}

/// Smooth noise, 0..=1, `seed` picks the field; features are about one unit wide.
pub(crate) fn value_noise(p: Point, seed: u32) -> f32 {
    let (x0, y0) = (p[0].floor(), p[1].floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(p[0] - x0), ease(p[1] - y0));
    let corner = |dx: i32, dy: i32| lattice(x0 as i32 + dx, y0 as i32 + dy, seed);
    let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * fx;
    let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * fx;
    top + (bottom - top) * fy
}

/// Five octaves of [`value_noise`], 0..=1.
pub(crate) fn fractal_noise(p: Point, seed: u32) -> f32 {
    (0..5)
        .map(|octave| {
            let scale = (1 << octave) as f32;
            value_noise([p[0] * scale, p[1] * scale], seed.wrapping_add(octave)) / (2.0 * scale)
        })
        .sum::<f32>()
        / 0.96875
}

fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x85eb_ca6b)
        ^ (y as u32).wrapping_mul(0xc2b2_ae35)
        ^ seed.wrapping_mul(0x27d4_eb2f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    (h ^ (h >> 15)) as f32 / u32::MAX as f32
}
