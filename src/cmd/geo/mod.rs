//! Places on the globe, kept in sorted sets whose scores are the numbers of cells.

mod keys;
mod places;
mod search;

use crate::{
    base::{
        dtoa::fixed,
        geohash::{LAT_MAX, LON_MAX, Place},
        num::parse_f64,
    },
    command::{CmdError, CommandSpec, Ctx},
    resp::output::Output,
};

/// The commands of this family.
pub const COMMANDS: [&[CommandSpec]; 2] = [places::COMMANDS, search::COMMANDS];

/// Arguments `i` and `i + 1` as a place.
fn place_arg(ctx: &Ctx<'_>, i: usize) -> Result<Place, CmdError> {
    let degrees = |i: usize| parse_f64(ctx.args.at(i)).ok_or(CmdError::NOT_A_FLOAT);
    let (lon, lat) = (degrees(i)?, degrees(i + 1)?);
    if lon.abs() > LON_MAX || lat.abs() > LAT_MAX {
        return Err(CmdError::with(format!("ERR invalid longitude,latitude pair {lon:.6},{lat:.6}")));
    }
    Ok(Place { lon, lat })
}

/// Argument `i` as the length of a unit, in meters.
fn unit_arg(ctx: &Ctx<'_>, i: usize) -> Result<f64, CmdError> {
    const UNITS: [(&str, f64); 4] = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
    let unit = UNITS.into_iter().find(|(name, _)| ctx.is_word(i, name));
    unit.map(|(_, meters)| meters)
        .ok_or(CmdError::new("ERR unsupported unit provided. please use M, KM, FT, MI"))
}

/// Replies a distance with four decimals.
fn reply_distance(out: &mut Output, distance: f64) {
    let scaled = (distance * 10_000.0).round_ties_even() as u64;
    out.bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}

/// Replies longitude and latitude.
fn reply_place(out: &mut Output, place: Place) {
    out.array(2);
    out.double(&fixed(place.lon));
    out.double(&fixed(place.lat));
}
