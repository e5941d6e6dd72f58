/* people_inner.h - shared by people.c (reports, what is published), acts.c and officials.c */
#ifndef AVVIK_SIM_PEOPLE_INNER_H
#define AVVIK_SIM_PEOPLE_INNER_H

#include "sim.h"

#define NEW(w, Type, lower) AV_NEW((w)->arena, Avvik__V1__##Type, avvik__v1__##lower)
#define TEXT(text) ((char *)(uintptr_t)(text))
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name

/* people.c */
int64_t people_ago(struct world *w, int64_t most_ms);
struct order *people_report(struct world *w); /* one that was acknowledged; NULL: none found */

/* acts.c */
void people_act(struct world *w);
const Avvik__V1__Case *people_case(struct world *w); /* one that they are busy with */
const char *people_actor(struct world *w, const char *act, const Avvik__V1__Case *found);
ProtobufCBinaryData people_copy(struct world *w, ProtobufCBinaryData data);

/* officials.c */
void people_ask_grant(struct world *w);
void people_retry_notice(struct world *w);

#endif
