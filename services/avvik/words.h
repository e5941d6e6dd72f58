/* words.h - events as sentences that a case officer understands. */
#ifndef AVVIK_WORDS_H
#define AVVIK_WORDS_H

#include "names.h"

struct known_case;
struct words {
	struct names names;
	struct known_case *cases; /* by id */
};

static inline struct words words_for(struct tool *tool)
{
	return (struct words){.names = names_of(tool)};
}
void words_end(struct words *words);

/* The sentence, without the time. NULL: nothing that a case officer needs to know. In `arena`. Events are to be given in order:
 * what a case is called is learnt from them, and asked of workflow otherwise. */
const char *words_of(struct words *words, enum tool_daemon daemon, const Avvik__V1__Event *event, struct av_arena *arena);

#endif
