//! Places on the globe as numbers: cells of a grid, which are ranges of 52-bit numbers, and distances.
//!
//! A cell is found by halving the ranges of longitude and latitude in turn; its number interleaves the bits of both, so
//! that the cells inside of a larger one are a range. The grid covers what a Mercator map does. The results are those of
//! the reference to the last bit, so that scores and distances are the same.
//!
//! Source: <https://en.wikipedia.org/wiki/Geohash>, and the comments of Valkey's `geohash_helper.c`.

/// Longitudes and latitudes that can be kept, in degrees.
pub const LON_MAX: f64 = 180.0;
pub const LAT_MAX: f64 = 85.051_128_78;
/// How often the ranges are halved for a place: 26 bits for each.
const STEPS: u32 = 26;
/// The mean radius of the earth in meters, as the reference has it.
const EARTH_RADIUS_M: f64 = 6_372_797.560_856;
/// Half of the equator on a Mercator map, in meters.
const MERCATOR_MAX_M: f64 = 20_037_726.37;
const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    pub lon: f64,
    pub lat: f64,
}

/// Ranges of longitude and latitude, in degrees.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    min: Place,
    max: Place,
}

/// What the grid covers.
const GRID: Bounds =
    Bounds { min: Place { lon: -LON_MAX, lat: -LAT_MAX }, max: Place { lon: LON_MAX, lat: LAT_MAX } };
/// What the grid of geohashes in text covers.
const WORLD: Bounds =
    Bounds { min: Place { lon: -LON_MAX, lat: -90.0 }, max: Place { lon: LON_MAX, lat: 90.0 } };

/// A cell of a grid that is halved `steps` times each way: its column and row from the south-west.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    column: u32,
    row: u32,
    steps: u32,
}

/// Every second bit, from the lowest: the bits of `n`.
fn spread(n: u32) -> u64 {
    (0..32).fold(0, |bits, i| bits | u64::from(n >> i & 1) << (2 * i))
}

/// The even bits of `bits` side by side.
fn gather(bits: u64) -> u32 {
    (0..32).fold(0, |n, i| n | ((bits >> (2 * i) & 1) as u32) << i)
}

impl Cell {
    /// The cell with a place inside `bounds`.
    fn of(place: Place, steps: u32, bounds: Bounds) -> Cell {
        let index = |x: f64, min: f64, max: f64| ((x - min) / (max - min) * (1u64 << steps) as f64) as u32;
        Cell {
            column: index(place.lon, bounds.min.lon, bounds.max.lon),
            row: index(place.lat, bounds.min.lat, bounds.max.lat),
            steps,
        }
    }

    fn from_bits(bits: u64) -> Cell {
        Cell { column: gather(bits >> 1), row: gather(bits), steps: STEPS }
    }

    fn bits(self) -> u64 {
        spread(self.row) | spread(self.column) << 1
    }

    /// The cells of the grid that are inside, as numbers: the first one, and the one behind the last.
    fn range(self) -> (u64, u64) {
        let shift = 2 * (STEPS - self.steps);
        (self.bits() << shift, (self.bits() + 1) << shift)
    }

    /// The corners.
    fn bounds(self) -> Bounds {
        let cells = (1u64 << self.steps) as f64;
        let corner = |column: u32, row: u32| Place {
            lon: GRID.min.lon + (f64::from(column) / cells) * (GRID.max.lon - GRID.min.lon),
            lat: GRID.min.lat + (f64::from(row) / cells) * (GRID.max.lat - GRID.min.lat),
        };
        Bounds {
            min: corner(self.column, self.row),
            max: corner(self.column.wrapping_add(1), self.row.wrapping_add(1)),
        }
    }

    /// The cell so many columns to the east and rows to the north, around the edges.
    fn neighbor(self, east: i32, north: i32) -> Cell {
        let mask = (1 << self.steps) - 1;
        let moved = |at: u32, by: i32| if by == 0 { at } else { at.wrapping_add_signed(by) & mask };
        Cell { column: moved(self.column, east), row: moved(self.row, north), ..self }
    }
}

/// The number of a place, which must be inside the grid: a sorted set's score.
pub fn encode(place: Place) -> u64 {
    Cell::of(place, STEPS, GRID).bits()
}

/// The middle of the cell whose number a score is. Any score is taken as one, as the reference does on x86-64.
pub fn decode(score: f64) -> Place {
    const TWO_63: f64 = (1u64 << 63) as f64;
    let signed = |x: f64| if (-TWO_63..TWO_63).contains(&x) { x as i64 as u64 } else { 1 << 63 };
    let bits = if score < TWO_63 { signed(score) } else { signed(score - TWO_63) ^ 1 << 63 };
    let Bounds { min, max } = Cell::from_bits(bits).bounds();
    Place {
        lon: ((min.lon + max.lon) / 2.0).clamp(-LON_MAX, LON_MAX),
        lat: ((min.lat + max.lat) / 2.0).clamp(-LAT_MAX, LAT_MAX),
    }
}

/// The geohash of a place as text, of 11 letters as the reference gives them: 52 bits are two letters' worth too few, so
/// that the last one is always 0.
pub fn text(place: Place) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = Cell::of(place, STEPS, WORLD).bits();
    std::array::from_fn(|i| {
        let letter = if i < 10 { bits >> (52 - 5 * (i + 1)) & 31 } else { 0 };
        LETTERS[letter as usize]
    })
}

/// The distance of two latitudes in meters.
fn lat_distance_m(a: f64, b: f64) -> f64 {
    EARTH_RADIUS_M * (b * DEGREE - a * DEGREE).abs()
}

/// The distance of two places in meters, by the haversine formula.
pub fn distance_m(a: Place, b: Place) -> f64 {
    let v = ((b.lon * DEGREE - a.lon * DEGREE) / 2.0).sin();
    if v == 0.0 {
        return lat_distance_m(a.lat, b.lat);
    }
    let (lat_a, lat_b) = (a.lat * DEGREE, b.lat * DEGREE);
    let u = ((lat_b - lat_a) / 2.0).sin();
    2.0 * EARTH_RADIUS_M * (u * u + lat_a.cos() * lat_b.cos() * v * v).sqrt().asin()
}

/// What is searched around a place, in meters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Shape {
    Circle { radius_m: f64 },
    Box { width_m: f64, height_m: f64 },
}

impl Shape {
    /// The distance of a place from the center, if it is inside.
    pub fn distance_m(self, center: Place, place: Place) -> Option<f64> {
        match self {
            Shape::Circle { radius_m } => {
                let distance = distance_m(center, place);
                (distance <= radius_m).then_some(distance)
            }
            Shape::Box { width_m, height_m } => {
                // The width is measured at the latitude of the place.
                let across = Place { lon: center.lon, lat: place.lat };
                let inside = lat_distance_m(place.lat, center.lat) <= height_m / 2.0
                    && distance_m(place, across) <= width_m / 2.0;
                inside.then(|| distance_m(center, place))
            }
        }
    }

    /// From the center to the farthest point.
    fn reach_m(self) -> f64 {
        match self {
            Shape::Circle { radius_m } => radius_m,
            Shape::Box { width_m, height_m } => {
                ((width_m / 2.0) * (width_m / 2.0) + (height_m / 2.0) * (height_m / 2.0)).sqrt()
            }
        }
    }

    /// Ranges of longitude and latitude around a center with everything inside.
    fn bounds(self, center: Place) -> Bounds {
        let (across_m, up_m) = match self {
            Shape::Circle { radius_m } => (radius_m, radius_m),
            Shape::Box { width_m, height_m } => (width_m / 2.0, height_m / 2.0),
        };
        let lat = up_m / EARTH_RADIUS_M / DEGREE;
        // A degree is shortest on the side that is nearer to a pole.
        let edge = if center.lat < 0.0 { center.lat - lat } else { center.lat + lat };
        let lon = across_m / EARTH_RADIUS_M / (edge * DEGREE).cos() / DEGREE;
        Bounds {
            min: Place { lon: center.lon - lon, lat: center.lat - lat },
            max: Place { lon: center.lon + lon, lat: center.lat + lat },
        }
    }

    /// How often the grid may be halved so that a cell and its neighbors hold everything that is in reach.
    fn steps(self, lat: f64) -> u32 {
        let mut reach_m = self.reach_m();
        if reach_m == 0.0 {
            return STEPS;
        }
        let mut steps = 1i32;
        while reach_m < MERCATOR_MAX_M {
            reach_m *= 2.0;
            steps += 1;
        }
        steps -= 2;
        // Towards the poles a degree of longitude is shorter.
        if lat.abs() > 66.0 {
            steps -= 1;
        }
        if lat.abs() > 80.0 {
            steps -= 1;
        }
        steps.clamp(1, STEPS as i32) as u32
    }

    /// The ranges of scores, upper ends excluded, in which everything inside is to be found.
    pub fn score_ranges(self, center: Place) -> Vec<(f64, f64)> {
        let wanted = self.bounds(center);
        let mut steps = self.steps(center.lat);
        let mut cell = Cell::of(center, steps, GRID);
        let corner = |east, north| cell.neighbor(east, north).bounds();
        let too_small = corner(0, 1).max.lat < wanted.max.lat
            || corner(0, -1).min.lat > wanted.min.lat
            || corner(1, 0).max.lon < wanted.max.lon
            || corner(-1, 0).min.lon > wanted.min.lon;
        if steps > 1 && too_small {
            steps -= 1;
            cell = Cell::of(center, steps, GRID);
        }
        let bounds = cell.bounds();
        // Neighbors on a side that the cell itself reaches past are of no use.
        let (south, north) = (bounds.min.lat < wanted.min.lat, bounds.max.lat > wanted.max.lat);
        let (west, east) = (bounds.min.lon < wanted.min.lon, bounds.max.lon > wanted.max.lon);
        let useless = |(to_east, to_north): (i32, i32)| {
            steps >= 2
                && (to_north < 0 && south
                    || to_north > 0 && north
                    || to_east < 0 && west
                    || to_east > 0 && east)
        };
        let around = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];
        let mut ranges = Vec::with_capacity(around.len());
        let cells = around
            .into_iter()
            .filter(|&at| !useless(at))
            .map(|(to_east, to_north)| cell.neighbor(to_east, to_north));
        for (min, max) in cells.map(Cell::range) {
            let range = (min as f64, max as f64);
            // Of a large cell two neighbors may be one.
            if ranges.last() != Some(&range) {
                ranges.push(range);
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn random_place(rng: &mut Rng) -> Place {
        let unit = |rng: &mut Rng| rng.next_u64() as f64 / u64::MAX as f64 * 2.0 - 1.0;
        Place { lon: unit(rng) * LON_MAX, lat: unit(rng) * LAT_MAX }
    }

    #[test]
    fn known_places() {
        let (palermo, catania) =
            (Place { lon: 13.361_389, lat: 38.115_556 }, Place { lon: 15.087_269, lat: 37.502_669 });
        assert_eq!((encode(palermo), encode(catania)), (3_479_099_956_230_698, 3_479_447_370_796_909));
        let (a, b) = (decode(3_479_099_956_230_698.0), decode(3_479_447_370_796_909.0));
        assert_eq!((&text(a), &text(b)), (b"sqc8b49rny0", b"sqdtr74hyu0"));
        assert!((distance_m(a, b) - 166_274.151_6).abs() < 0.001);
    }

    #[test]
    fn a_place_comes_back_near_by() {
        let mut rng = Rng::new(1);
        for _ in 0..10_000 {
            let place = random_place(&mut rng);
            let bits = encode(place);
            let back = decode(bits as f64);
            assert!((back.lon - place.lon).abs() < 1e-5 && (back.lat - place.lat).abs() < 1e-5);
            assert_eq!(encode(back), bits, "the middle of a cell is inside");
        }
    }

    #[test]
    fn what_is_inside_is_in_the_ranges() {
        let mut rng = Rng::new(2);
        let (mut inside, mut missed) = (0, 0);
        for _ in 0..2000 {
            let far = random_place(&mut rng);
            // Not at an edge of the grid, nor where a degree is next to nothing.
            let center = Place { lon: far.lon * 0.9, lat: far.lat * 0.7 };
            let size_m = 10f64.powi(rng.below(6) as i32 + 1);
            let shape = match rng.below(2) {
                0 => Shape::Circle { radius_m: size_m },
                _ => Shape::Box { width_m: size_m, height_m: size_m / 2.0 },
            };
            let ranges = shape.score_ranges(center);
            for _ in 0..20 {
                let near = |x: f64, rng: &mut Rng| x + (rng.below(2001) as f64 - 1000.0) * size_m / 1e8;
                let place = Place { lon: near(center.lon, &mut rng), lat: near(center.lat, &mut rng) };
                let score = encode(place) as f64;
                if shape.distance_m(center, decode(score)).is_some() {
                    inside += 1;
                    missed += usize::from(!ranges.iter().any(|&(min, max)| (min..max).contains(&score)));
                }
            }
        }
        assert!(inside > 5000 && missed == 0, "{missed} of {inside} are missed");
    }
}
