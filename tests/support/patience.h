/* patience.h - under valgrind everything takes longer: sanitize.sh says how many times, by AVVIK_TEST_PATIENCE. */
#ifndef AVVIK_TESTS_PATIENCE_H
#define AVVIK_TESTS_PATIENCE_H

#include <stdlib.h>

static inline unsigned int test_patience(void)
{
	const char *times = getenv("AVVIK_TEST_PATIENCE");
	int count = times ? atoi(times) : 1;
	return count > 1 ? (unsigned int)count : 1;
}

#endif
