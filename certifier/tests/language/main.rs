//! Language models end to end: a local endpoint that answers by rule, logs, interruptions, and what a dishonest operator
//! would try. Each mistake that is known from elsewhere has a test of its name.

mod faults;
mod limits;
mod local;
mod logs;
mod mistakes;
mod server;
mod support;
