package io.fenceline.dax;

/// Three power cuts: less than a minute. Skipped, visibly, where the virtual machine was not built.
class RealDaxTest extends RealDax {
    RealDaxTest() {
        super(3);
    }
}
