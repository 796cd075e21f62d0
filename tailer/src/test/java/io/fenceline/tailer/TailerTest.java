package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TailerTest {
    @Test
    void shouldWriteAStartAsItReadsIt() {
        for (String text : new String[] {"oldest", "newest", "0", "4096", "seq:0", "seq:17"}) {
            assertEquals(text, Start.parse(text).toString());
            assertEquals(Start.parse(text), Start.parse(text));
        }
        assertArrayEquals(new Object[] {Start.oldest()}, new Object[] {Start.parse("oldest")});
    }
}
