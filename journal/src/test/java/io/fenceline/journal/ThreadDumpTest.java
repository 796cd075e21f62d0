package io.fenceline.journal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ThreadDumpTest {
    @Test
    void shouldShowTheThreadsOfAJvm() {
        String text = ThreadDump.of(ProcessHandle.current().pid());
        assertTrue(text.contains("ThreadDumpTest.shouldShowTheThreadsOfAJvm"), text);
    }

    @Test
    void shouldSayThatThereIsNoSuchProcess() {
        String text = ThreadDump.of(Integer.MAX_VALUE);
        assertTrue(text.contains(Integer.toString(Integer.MAX_VALUE)), text);
    }
}
