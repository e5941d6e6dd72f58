/* people_inner.h - shared by people.c (reports, what is published), acts*.c and officials.c */
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
const char *people_with(struct world *w, const char *role, const char *unit); /* "": nobody has it */
ProtobufCBinaryData people_copy(struct world *w, ProtobufCBinaryData data);
size_t people_act_names(const char *const **ret_names); /* each act that they do */

/* What an act says: NULL when the case gives no occasion for it. acts_course.c: lex Sarah; acts_beside.c: beside its
 * course, IVO, deadlines, private providers; acts_deviation.c: deviations; acts_join.c: reports of one
 * event. */
#define WRITER(name) ProtobufCMessage *name(struct world *w, const Avvik__V1__Case *found)
WRITER(act_place);
WRITER(act_name_reporter);
WRITER(act_remedy);
WRITER(act_inform);
WRITER(act_assess);
WRITER(act_find_serious);
WRITER(act_record_entry);
WRITER(act_complete);
WRITER(act_decide);
WRITER(act_notify_ivo);
WRITER(act_hand_in);
WRITER(act_decide_measure);
WRITER(act_propose_measure);
WRITER(act_decide_proposal);
WRITER(act_no_measures);
WRITER(act_execute);
WRITER(act_evaluate);
WRITER(act_close);
WRITER(act_inform_relatives);
WRITER(act_file_entry);
WRITER(act_police);
WRITER(act_registry);
WRITER(act_lift);
WRITER(act_ivo_request);
WRITER(act_ivo_answer);
WRITER(act_ivo_decision);
WRITER(act_reconsider);
WRITER(act_return);
WRITER(act_reopen);
WRITER(act_register);
WRITER(act_provider_notified);
WRITER(act_stop);
WRITER(act_resume);
WRITER(act_extend);
WRITER(act_take);
WRITER(act_request_completion);
WRITER(act_answer_completion);
WRITER(act_begin_inquiry);
WRITER(act_assess_risk);
WRITER(act_complete_inquiry);
WRITER(act_close_early);
WRITER(act_turn);
WRITER(act_join);
WRITER(act_part);
WRITER(act_dismiss);

/* officials.c */
void people_ask_grant(struct world *w);
void people_retry_notice(struct world *w);
void people_apply_rules(struct world *w);
void people_tell_notification(struct world *w); /* a private provider's system: it has notified IVO */

#endif
