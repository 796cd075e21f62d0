package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StartTest {
    @Test
    void shouldWriteAStartAsItIsRead() {
        for (String text : new String[] {"oldest", "newest", "0", "4096", "seq:0", "seq:9223372036854775807"}) {
            assertEquals(text, Start.parse(text).toString());
        }
        assertEquals(Start.position(64), Start.parse("64"));
        assertEquals(Start.sequence(64), Start.parse("seq:64"));
    }

    @Test
    void shouldSayWhatAStartLooksLikeWhenItIsNone() {
        for (String text : new String[] {"", "first", "-1", "+1", "seq:", "seq:-1", "seq:1x", "9223372036854775808"}) {
            Exception e = assertThrows(IllegalArgumentException.class, () -> Start.parse(text));
            assertTrue(e.toString().contains("'" + text + "'"), e.toString());
        }
        assertThrows(IllegalArgumentException.class, () -> Start.position(-64));
        assertThrows(IllegalArgumentException.class, () -> Start.sequence(-1));
    }
}
