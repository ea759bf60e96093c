//! Tests of tables, over journals in memory and on disks that wait or fail.

mod delayed;
mod figures;
mod laws;
mod refused;
mod sample;
