//! What an index promises: no answer is left out, no damage becomes one, and what it costs.

mod cost;
mod damage;
mod laws;
mod parts;
mod sample;
