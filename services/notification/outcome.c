/* outcome.c - how an attempt to deliver ended. */
#include "outcome.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *code, *words;
	bool final, server;
} outcomes[OUTCOME_COUNT] = {
#define X(name, code, final, server, words) [OUTCOME_##name] = {code, words, final, server},
	OUTCOME_LIST(X)
#undef X
};

static size_t place(int outcome)
{
	return outcome >= 0 && outcome < OUTCOME_COUNT ? (size_t)outcome : OUTCOME_INTERNAL;
}

const char *outcome_code(int outcome)
{
	return outcomes[place(outcome)].code;
}

const char *outcome_words(int outcome)
{
	return outcomes[place(outcome)].words;
}

const char *outcome_words_of(const char *code)
{
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		if (strcmp(outcomes[i].code, code) == 0)
			return outcomes[i].words;
	return outcomes[OUTCOME_INTERNAL].words;
}

bool outcome_final(int outcome)
{
	return outcomes[place(outcome)].final;
}

bool outcome_server(int outcome)
{
	return outcomes[place(outcome)].server;
}
