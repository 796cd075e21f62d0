package io.fenceline.dax;

import org.junit.jupiter.api.Tag;

/// Twenty-one power cuts: some minutes.
@Tag("dax")
class RealDaxAtLengthTest extends RealDax {
    RealDaxAtLengthTest() {
        super(21);
    }
}
