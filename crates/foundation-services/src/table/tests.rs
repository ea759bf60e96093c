//! Tests of tables, over journals in memory and on disks that wait or fail.

mod delayed;
mod laws;
mod refused;
mod sample;
