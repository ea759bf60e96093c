//! Tests of the configuration service.
