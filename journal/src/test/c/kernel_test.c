/*
 * The persist kernel without a JVM, for processors that only an emulator has: each door against a reference that is
 * written the slow way here, at every alignment, and nothing stored beside it. Prints the instructions that were chosen;
 * exit code 1 and one line at the first difference.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void fl_copy(char *dst, const char *src, size_t n);
void fl_persist(char *dst, const char *src, size_t n);
void fl_write_back(char *p, size_t n);
void fl_flush(char *p, size_t n);
void fl_fence(void);
int64_t fl_time(int strategy, char *dst, const char *src, size_t n);
uint32_t fl_crc32c(uint32_t crc, const char *p, size_t n);
uint32_t fl_copy_crc32c(uint32_t crc, char *dst, const char *p, size_t n);
void fl_persist_frame(char *dst, char *src, size_t length, size_t n, uint32_t salt);
void fl_store_frame(char *dst, char *src, size_t length, size_t n, uint32_t salt);
int fl_has_entry(void);
size_t fl_run(
    const char *p, size_t n, uint64_t position, uint64_t sequence, uint64_t attributes, uint64_t limits,
    const char *ahead);
const char *fl_describe(void);

#define ROOM 65536
#define MARGIN 256

static char *medium, *target, *source, *expected;
static size_t length;

static void check(int holds, const char *what) {
  if (holds) return;
  printf("%s differs at length %zu\n", what, length);
  exit(1);
}

static uint32_t reference(uint32_t crc, const char *p, size_t n) {
  crc = ~crc;
  for (size_t i = 0; i < n; i++) {
    crc ^= (uint8_t)p[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  return ~crc;
}

static void forget(void) { memset(medium, 0x5A, ROOM + 2 * MARGIN); }

static void check_stored(size_t n, const char *what) {
  check(memcmp(target, expected, n) == 0, what);
  for (char *p = medium; p < medium + ROOM + 2 * MARGIN; p++)
    if (p < target || p >= target + n) check(*p == 0x5A, "what lies beside it");
}

static void check_lines(size_t n) {
  memcpy(expected, source, n);
  forget(), fl_copy(target, source, n), fl_fence(), check_stored(n, "fl_copy");
  forget(), fl_persist(target, source, n), check_stored(n, "fl_persist");
  fl_write_back(target, n), fl_fence(), fl_flush(target + 1, n ? n - 1 : 0), check_stored(n, "fl_write_back");
  forget();
  check(fl_copy_crc32c(7, target, source, n) == reference(7, source, n), "fl_copy_crc32c");
  check_stored(n, "fl_copy_crc32c");
}

static void check_frame(size_t frame) {
  size_t n = (frame + 63) & ~(size_t)63;
  uint32_t salt = (uint32_t)rand(), crc;
  memset(source + frame, 0, n - frame);
  memcpy(expected, source, n);
  crc = reference(0, source + 4, frame - 4) ^ salt;
  memcpy(expected, &crc, 4);
  forget(), fl_persist_frame(target, source, frame, n, salt), check_stored(n, "fl_persist_frame");
  source[0] ^= 1;
  forget(), fl_store_frame(target, source, frame, n, salt), check_stored(n, "fl_store_frame");
}

static void put32(char *p, uint32_t x) { memcpy(p, &x, 4); }

static void put64(char *p, uint64_t x) { memcpy(p, &x, 8); }

/* Frames of one length up to a page that cannot be read, which a load behind the last one would tell. */
static void check_run(char *guard, uint32_t payload) {
  const uint64_t attributes = 3 | 1ull << 32 | 1ull << 48, limits = 77 | 1ull << 52;
  uint32_t frame = 48 + ((payload + 7) & ~7u), distance = (frame + 63) & ~63u, n = 5 * distance;
  char *p = guard - n;
  length = payload;
  for (uint32_t at = 0, i = 0; at < n; at += distance, i++) {
    put32(p + at + 4, frame), put64(p + at + 8, 640 + at), put64(p + at + 16, 9 + i);
    put64(p + at + 32, attributes), put32(p + at + 40, payload);
    put32(p + at, reference(0, p + at + 4, frame - 4) ^ 77);
  }
  check(fl_run(p, n, 640, 9, attributes, limits, 0) == n, "fl_run");
  check(fl_run(p, n, 640, 9, attributes, limits, guard - 64) == n, "fl_run, prefetching");
  check(fl_run(p, n - 64, 640, 9, attributes, limits, 0) == n - distance, "fl_run of less");
  check(fl_run(p, n, 640, 9, attributes, (limits & 0xFFFFFFFF) | (uint64_t)(frame - 1) << 32, 0) == 0, "the longest");
  for (int i = 0; i < 50; i++) {
    uint32_t last = n - distance, bit = (uint32_t)rand() % (8 * frame);
    p[last + bit / 8] ^= (char)(1 << bit % 8);
    check(fl_run(p, n, 640, 9, attributes, limits, 0) == last, "fl_run over a bit");
    if (bit >= 320) fl_run(p, n, 640, 9, attributes, limits | 1ull << 63, 0);
    p[last + bit / 8] ^= (char)(1 << bit % 8);
  }
}

int main(void) {
  medium = aligned_alloc(4096, ROOM + 4096), target = medium + MARGIN;
  source = aligned_alloc(4096, 2 * ROOM), expected = malloc(ROOM);
  if (!medium || !source || !expected) return 2;
  for (size_t i = 0; i < 2 * ROOM; i++) source[i] = (char)rand();
  check(fl_crc32c(0, "123456789", 9) == 0xE3069283u, "the checksum of 123456789");
  for (length = 0; length < 2200; length++)
    for (size_t at = 0; at < 64; at += 1 + length % 13)
      check(fl_crc32c(5, source + at, length) == reference(5, source + at, length), "fl_crc32c");
  for (length = 0; length <= 4096; length += 64) check_lines(length);
  for (length = 40; length <= 2200; length++) check_frame(length);
  for (length = 4000; length <= ROOM - 64; length += 3999) check_frame(length), check_lines(length & ~(size_t)63);
  char *guarded = mmap(0, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (guarded == MAP_FAILED || mprotect(guarded + ROOM, ROOM, PROT_NONE)) return 2;
  for (length = 0; length < ROOM; length++) guarded[length] = (char)rand();
  for (uint32_t payload = 0; payload < 700; payload += 1 + payload % 9) check_run(guarded + ROOM, payload);
  for (uint32_t payload = 1000; payload < 9000; payload += 999) check_run(guarded + ROOM, payload);
  for (int strategy = 1; strategy <= 3; strategy++)
    for (length = 64; length <= 4096; length *= 4) {
      memcpy(expected, source, 4096);
      forget();
      check(fl_time(strategy, target, source, length) > 0, "fl_time");
      check_stored(4096, "fl_time");
    }
  printf("%s\n", fl_describe());
  return 0;
}
