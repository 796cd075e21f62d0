/*
 * What kernel_test.c and the kernel need of a C library, on an aarch64 machine with nothing on it: QEMU's machines have
 * DC CVAP where its user mode (before 8.1) announces it and then refuses it. Speaks to QEMU by semihosting. Compiled with
 * -mstrict-align: without an MMU memory is of a kind that takes no unaligned access.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <time.h>

#define CPU_CRC32 (1 << 7)
#define CPU_DCPOP (1 << 16)

int main(void);

static char heap[1 << 20] __attribute__((aligned(4096)));
static size_t used;
char stack[1 << 16] __attribute__((aligned(16)));

__asm__(".global _start\n"
        "_start: mov x0, #(3 << 20)\n" /* floating point and vectors */
        "  msr cpacr_el1, x0\n"
        "  isb\n"
        "  adrp x0, stack\n"
        "  add x0, x0, :lo12:stack\n"
        "  add sp, x0, #(1 << 16)\n"
        "  b begin\n");

static void host(long operation, const void *argument) {
  register long x0 __asm__("x0") = operation;
  register const void *x1 __asm__("x1") = argument;
  __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

void exit(int status) {
  uint64_t block[] = {0x20026, (uint64_t)status};
  host(0x18, block);
  for (;;) {
  }
}

/* ID_AA64ISAR1_EL1 and ID_AA64ISAR0_EL1 are what a system makes these bits of. */
unsigned long getauxval(unsigned long type) {
  uint64_t first, second;
  __asm__("mrs %0, id_aa64isar0_el1" : "=r"(first));
  __asm__("mrs %0, id_aa64isar1_el1" : "=r"(second));
  if (type != AT_HWCAP) return 0;
  return ((first >> 16 & 15) ? CPU_CRC32 : 0) | ((second & 15) ? CPU_DCPOP : 0);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static long ns;
  (void)clock;
  *now = (struct timespec){0, ++ns};
  return 0;
}

void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = (char)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (((const char *)a)[i] != ((const char *)b)[i]) return 1;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t n) {
  void *p = heap + used;
  used += (n + alignment - 1) & ~(alignment - 1);
  return used <= sizeof heap ? p : NULL;
}

void *malloc(size_t n) { return aligned_alloc(4096, n); }

/* There are no pages here: what is guarded elsewhere is just memory. */
void *mmap(void *address, size_t n, int protection, int flags, int file, long offset) {
  (void)address, (void)protection, (void)flags, (void)file, (void)offset;
  return malloc(n);
}

int mprotect(void *p, size_t n, int protection) {
  (void)p, (void)n, (void)protection;
  return 0;
}

int rand(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (int)(state >> 33);
}

/* Knows %s and %zu. */
static void format(char *to, size_t room, const char *text, va_list arguments) {
  char *end = to + room - 1;
  for (; *text && to < end; text++) {
    char digits[24], *word = digits + sizeof digits - 1;
    if (*text != '%') {
      *to++ = *text;
      continue;
    }
    if (*++text == 's') {
      word = va_arg(arguments, char *);
    } else {
      text++;
      *word = 0;
      for (size_t n = va_arg(arguments, size_t), first = 1; n || first; n /= 10, first = 0) *--word = (char)('0' + n % 10);
    }
    while (*word && to < end) *to++ = *word++;
  }
  *to = 0;
}

int snprintf(char *to, size_t room, const char *text, ...) {
  va_list arguments;
  va_start(arguments, text);
  format(to, room, text, arguments);
  va_end(arguments);
  return 0;
}

int printf(const char *text, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, text);
  format(line, sizeof line, text, arguments);
  va_end(arguments);
  host(4, line);
  return 0;
}

extern void (*__init_array_start[])(void), (*__init_array_end[])(void);

__attribute__((used)) void begin(void) {
  for (void (**each)(void) = __init_array_start; each < __init_array_end; each++) (*each)();
  exit(main());
}
