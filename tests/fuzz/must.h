/* must.h - what must hold; otherwise a line, and the end. */
#ifndef AVVIK_TESTS_FUZZ_MUST_H
#define AVVIK_TESTS_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(holds, ...)                              \
	do {                                          \
		if (!(holds)) {                       \
			fprintf(stderr, __VA_ARGS__); \
			fputc('\n', stderr);          \
			abort();                      \
		}                                     \
	} while (0)

#endif
