/// Real DAX, and real power cuts: what runs in the virtual machine of `perf/dax/vm`. The tests start that machine, cut
/// its power under load, and hold what was acknowledged against what the next boot finds.
///
/// | type | is |
/// |---|---|
/// | [Guest] | the guest's program: opens, checks, tells; then appends until the power goes |
/// | [Load] | one journal: opened and checked, then appended to, each acknowledgement told |
/// | [Console] | the way out of the guest |
///
/// Nothing of the library depends on it.
@org.jspecify.annotations.NullMarked
package io.fenceline.dax;
