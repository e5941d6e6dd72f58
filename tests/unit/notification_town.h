/* notification_town.h - a small town, a rule pack and questions, for the tests of who is told what.
 *
 *	namnden (committee) > forvaltningen (administration) > aldre (department) > solen (unit)
 *	anna EC and bo BITR at solen, cia AC at aldre, dan and eva SAS at forvaltningen
 */
#ifndef AVVIK_TESTS_NOTIFICATION_TOWN_H
#define AVVIK_TESTS_NOTIFICATION_TOWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/status.h"
#include "notice_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define KIND(name) AVVIK__V1__NOTICE_KIND__NOTICE_KIND_##name
#define LEX_SARAH AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH
#define DEVIATION AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION
#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

extern struct av_arena *arena; /* of the test */
extern Avvik__V1__RulePack pack;
extern Avvik__V1__Unit *const solen;
extern const ProtobufCBinaryData measure_id;

void pack_clear(void);
/* to: "EC" or "AC@department", separated by spaces. */
Avvik__V1__NoticeRule *rule(const char *id, const char *event, const char *to, Avvik__V1__NoticeKind kind);

Avvik__V1__CaseKnown known(Avvik__V1__CaseKind kind, Avvik__V1__CaseState state, const char *unit);
Avvik__V1__Event event_of(int number, void *body);
/* On 2026-04-07 at ten, with `pack`, in a town that is made anew with each question. */
struct notice_question question(
	const Avvik__V1__Event *event, const Avvik__V1__CaseKnown *before, const Avvik__V1__CaseKnown *after);
/* bo stands in for anna in the question's town, from day 20540 to day 20560. */
void anna_is_away(struct notice_question *question);
/* Who is told, as "N1:anna N1:dan/eva…" (dan for eva); those that reach nobody as "N1:!why". */
void want(const char *what, const struct notice_question *question, const char *want_told);

/* Set-up and tear-down of each test. */
int town_start(void **state);
int town_stop(void **state);
#define town_test(function) cmocka_unit_test_setup_teardown(function, town_start, town_stop)

#endif
