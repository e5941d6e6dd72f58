/* expectation.h - what a mail says that is to be done, of a deadline. Pure. */
#ifndef NOTIFICATION_EXPECTATION_H
#define NOTIFICATION_EXPECTATION_H

#include "avvik/v1/rules.pb-c.h"
#include "base/arena.h"

/* What meets a deadline, said to the one who is to do it; NULL for what no person does. */
const char *expectation_words(Avvik__V1__Anchor anchor);
/* Of the first that meets the deadline and has words, else by the deadline's name; never empty. NULL: memory. */
const char *expectation(const Avvik__V1__DeadlineRule *rule, struct av_arena *arena);

#endif
