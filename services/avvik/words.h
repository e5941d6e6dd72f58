/* words.h - events as sentences that a case officer understands. */
#ifndef AVVIK_WORDS_H
#define AVVIK_WORDS_H

#include "names.h"

struct known_case;
struct words {
	struct names names;
	struct known_case *cases; /* by id */
	/* Mails that follow from one event, gathered until something else is said. */
	struct {
		char subject[200], text[1600], label[160];
		unsigned char cause[16];
		int64_t at_ms;
		size_t left_out;
		bool any, waits;
	} mails;
};

static inline struct words words_for(struct tool *tool)
{
	return (struct words){.names = names_of(tool)};
}
void words_end(struct words *words);

/* The sentence, without the time. NULL: nothing that a case officer needs to know. In `arena`. Events are to
 * be given in order: what a case is called is learnt from them, and asked of workflow otherwise. */
const char *words_of(
	struct words *words, enum tool_daemon daemon, const Avvik__V1__Event *event, struct av_arena *arena);
/* To be asked before each event, and with NULL when nothing more is at hand: the mails that were decided
 * before it, when they are all told. NULL: none, or more may follow. */
const char *words_mails(
	struct words *words, const Avvik__V1__Event *next, struct av_arena *arena, int64_t *ret_at_ms);

#endif
