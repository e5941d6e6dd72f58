/* workflow.h - what the handlers of the workflow share: the view of organisation and rules, who may act, the
 * ledgers.
 *
 * The view is kept per thread in ctx->cache and held against the store's stamps each time it is asked for, so
 * that parsing a directory is paid once per publication. apply() needs none of it.
 */
#ifndef AVVIK_WORKFLOW_WORKFLOW_H
#define AVVIK_WORKFLOW_WORKFLOW_H

#include "case_rules.h"
#include "daemon/service.h"
#include "deadline_rules.h"
#include "org/org.h"
#include "workflow_store.h"

extern const struct av_service workflow_service;

struct workflow_pack {
	const Avvik__V1__RulePack *rules;
	struct av_id published; /* the event that told of it: of a later one it is greater */
	struct deadline_calendar calendar;
};

struct workflow_view {
	const struct av_org *org; /* NULL: no directory has been published */
	const struct workflow_pack *packs;
	size_t pack_count;
};

void *workflow_cache_create(void);
void workflow_cache_destroy(void *cache);
/* Valid until the next call with the same ctx->cache. AV_DAMAGED, AV_MEMORY. */
int workflow_view(struct av_ctx *ctx, struct workflow_view *ret_view);
const struct workflow_pack *workflow_pack(
	const struct workflow_view *view, const char *version); /* NULL: unknown */
/* The pack for what was received on a day: of those valid then the one that took effect last. NULL: none. */
const struct workflow_pack *workflow_pack_on(const struct workflow_view *view, av_day day);
/* A legal reference of the pack, "remedy" or "notify", for the first of the laws that has one, else SoL; ""
 * when there is none. */
const char *workflow_reference(
	const struct workflow_pack *pack, const char *id, const Avvik__V1__Law *laws, size_t count);
/* Does a lex Sarah report for the unit open an information case: is it run by a provider of its own, by the
 * pack? */
bool workflow_is_information(
	const struct workflow_view *view, const struct workflow_pack *pack, const char *unit);
/* A lex Sarah case that nobody has begun with, placed at such a unit. */
bool workflow_becomes_information(const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *unit);
/* Kind, state and legal reference of the event that says so. */
void workflow_make_information(
	const struct workflow_pack *pack, const Avvik__V1__Case *found, Avvik__V1__CasePlaced *placed);
const Avvik__V1__Code *workflow_code(
	Avvik__V1__Code *const *codes, size_t count, const char *code); /* NULL: unknown */

/* Would an open case go over to these rules: received while they hold, and under others now? */
bool workflow_goes_over(const Avvik__V1__Case *found, const Avvik__V1__RulePack *rules);

/* --- who --- */

/* May the principal see or act for a unit: it, or a unit above it, is the principal's. A unit that is not in
 * the directory belongs to the committee alone. */
bool workflow_principal_covers(const struct av_ctx *ctx, const struct workflow_view *view, const char *unit);
/* May the acting person do this to the case: holds, for `unit` and today, one of the roles that the rule pack
 * gives the act, and the principal may act for unit and role. *ret_role, unless NULL: the first such role,
 * the pack's. AV_FORBIDDEN or AV_INVALID with a fault that says what is missing. */
int workflow_may_act(struct av_ctx *ctx, const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *act, const char *unit, const char **ret_role);
bool workflow_act_rule_concerns(const Avvik__V1__ActRule *rule, Avvik__V1__CaseKind kind);
/* The same, of what concerns one law alone: the risk of a part. */
int workflow_may_act_under(struct av_ctx *ctx, const struct workflow_view *view,
	const struct workflow_pack *pack, const Avvik__V1__Case *found, const char *act, const char *unit,
	Avvik__V1__Law law, const char **ret_role);
/* Does the person hold a role that the act needs, whoever asks? For the investigator to be. */
bool workflow_holds_for(const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *act, const char *person, const char *unit, av_day day);

/* --- what the one who asks may see (sight.c) --- */

enum workflow_sight { SIGHT_NONE, SIGHT_EXISTENCE, SIGHT_ALL };
#define WORKFLOW_SIGHTS 32
struct workflow_sights { /* of one query; zeroed before it */
	struct sight_of_unit {
		const char *unit; /* lives as long as the query */
		const struct workflow_pack *pack;
		bool holds, reads; /* some role; one that reads more than that there is a case */
	} units[WORKFLOW_SIGHTS];
	size_t count, next;
};
enum workflow_sight workflow_sight(const struct av_ctx *ctx, const struct workflow_view *view,
	const Avvik__V1__Case *found, struct workflow_sights *sights);
/* The case as it is shown: itself, or what tells that it exists. NULL: AV_MEMORY. */
Avvik__V1__Case *workflow_shown(Avvik__V1__Case *found, enum workflow_sight sight, struct av_arena *arena);
/* With SIGHT_EXISTENCE, those that expect something of the unit itself: a duty that it does not have tells of
 * the assessment. */
bool workflow_shows_deadline(const Avvik__V1__Deadline *ledger, enum workflow_sight sight);
/* --- ledgers: what the facts of a case do to its deadlines --- */

struct ledgers {
	struct av_ctx *ctx;
	const struct workflow_pack *pack; /* NULL: no rules yet, no deadlines */
	struct av_id case_id;
	Avvik__V1__CaseKind kind;
	const char *unit, *number;
	const char *check;	     /* MEASURE_EVALUATED meets the deadline of this rule alone; NULL: all */
	const char *taken_over_from; /* the facts are of another system's time: what lies before now is passed
					over; NULL: they are ours */
	Avvik__V1__Deadline **items; /* running and ended */
	size_t count, room;
	unsigned int case_events; /* emitted here: those that raise the case's version */
};
int ledgers_load(struct ledgers *ledgers); /* those stored; not for a new case */
/* A fact at a time: ends what it meets or cancels, then starts what it starts (once at a time per rule and
 * measure). `measure_id` NULL: of no measure. `because`: the event that tells the fact. */
int ledgers_fact(struct ledgers *ledgers, Avvik__V1__Anchor fact, int64_t at_ms,
	const ProtobufCBinaryData *measure_id, const struct av_id *because);
/* What a person does to one of them, after deadline_may_…(): `content` is the sealed motive, NULL when a fact
 * does it (`because`). The due instant and the rungs that are left follow. */
int ledgers_stop(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const char *reason, int64_t at_ms,
	Avvik__V1__ContentRef *content, const struct av_id *because);
int ledgers_resume(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t at_ms,
	Avvik__V1__ContentRef *content, const struct av_id *because);
int ledgers_extend(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, uint32_t count,
	Avvik__V1__ContentRef *content, int64_t at_ms);
/* By the pack of `ledgers`, which may be another than it was planned by. AV_NOT_FOUND: the pack has no such
 * rule. */
int ledgers_replan(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t due_before_ms,
	const struct av_id *because);
/* Another takes the place of an open one, from another time of its anchor. `told_by`: the event that tells that
 * time; NULL: it stays the event that told the case's own. */
int ledgers_move(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, int64_t at_ms,
	const struct av_id *told_by, const struct av_id *because);
/* Another takes the place of one that was cancelled, from the anchor that it had; nothing is said of the past. */
int ledgers_again(struct ledgers *ledgers, Avvik__V1__Deadline *ledger, const struct av_id *because);
const Avvik__V1__DeadlineRule *ledgers_rule(const struct ledgers *ledgers, const char *id); /* NULL: none */
/* Cancels what still runs or stands and does not outlive the closing, or (`foreign` alone) what does not
 * concern the kind of case any longer. */
int ledgers_cancel(
	struct ledgers *ledgers, bool foreign, Avvik__V1__Anchor because_of, const struct av_id *because);
/* The case is a private provider's: the committee's own deadlines end, those of information begin. */
int ledgers_become_information(struct ledgers *ledgers, int64_t received_at_ms, const struct av_id *because);

/* --- the same returns after a measure was effective (recurrence.c) --- */

struct recurrence {
	struct av_ctx *ctx;
	const struct workflow_pack *pack; /* NULL: no rules yet, nothing is asked */
	struct av_id case_id;		  /* in which it comes back */
	const char *number, *unit, *category;
	int64_t at_ms;
};
/* Tells it of the earlier cases and of this one; *ret_noted: how many events of this one. */
int recurrence_tell(const struct recurrence *again, const struct av_id *because, unsigned int *ret_noted);

/* --- the same event, reported twice (duplicates.c) --- */

#define DUPLICATES_MAX 5
/* Open cases that may be of the same event: same unit, near in time, no other category. Sets found->duplicates
 * to those that the one who asks may see, the nearest first; at most `looked_at_max` cases are looked at. */
int duplicates_find(struct av_ctx *ctx, const struct workflow_view *view, Avvik__V1__Case *found,
	size_t looked_at_max, struct workflow_sights *sights);
#define DUPLICATES_LOOKED_AT 64	    /* for one case */
#define DUPLICATES_LOOKED_AT_LIST 8 /* for each case of a page */

/* --- content (content_grants.c) --- */

#define CONTENT_HOLDER_INTAKE "intake"
#define CONTENT_HOLDER_WORKFLOW "workflow"
struct content_grant { /* of one case, for those of its items that a holder has */
	const Avvik__V1__Case *found;
	Avvik__V1__GrantKind kind;
	char *purpose;
	Avvik__V1__ContentItem **items;
	size_t count;
	const char *holder;
};
/* Signs it for the acting person, and tells of it. AV_NOTHING: the holder has none of the items. */
int content_grant(struct av_ctx *ctx, const struct content_grant *wanted, Avvik__V1__Grant **ret_grant);
bool content_is_ours(struct av_ctx *ctx, const struct av_id *content_id); /* also when it is erased */
const Avvik__V1__ContentRef *content_ref(
	const Avvik__V1__Case *found, ProtobufCBinaryData content_id); /* NULL: not of the case */

/* --- a report becomes a case (feed_handlers.c; takeover.c) --- */

/* In the arena, with the next number of the year of receipt. NULL: AV_MEMORY. */
Avvik__V1__CaseOpened *workflow_open_case(struct av_ctx *ctx, const struct workflow_view *view,
	const struct workflow_pack *pack, const Avvik__V1__ReportFiled *filed, int64_t received_at_ms);
/* The earliest of the immediate measures that a report tells of; 0: none. */
int64_t workflow_remedied_at(const Avvik__V1__ReportFiled *filed, int64_t received_at_ms, int64_t now_ms);

/* --- handlers --- */

av_handler on_report_filed, on_report_supplemented, on_content_erased, on_directory_published,
	on_rules_published;
av_handler on_act_on_case, on_read_content, on_erase_content, on_open_content;
av_handler on_preview_rules, on_preview_directory, on_apply_rules, on_get_reach, on_what_if;
av_handler on_get_case, on_list_cases, on_list_deadlines, on_get_why, on_get_report_status;
av_handler on_tell_notification;
av_handler on_check_takeover, on_take_over_case;
/* Who investigates, or that person's deputies, when a recipient is for the one whom a lex Sarah case is assigned to. 0: not
 * assigned, or to nobody who is known. */
size_t workflow_assigned(const struct av_org *org, const Avvik__V1__Case *found,
	const Avvik__V1__Recipient *to, av_day day, struct av_org_found ret_found[AV_ORG_FOUND_MAX]);
/* Ids of those whom the roles of a rung of a case find on its day, in the arena; *ret_nobody becomes true when a role finds no one
 * (preview.c). */
int workflow_told_by(struct av_arena *arena, const struct av_org *org, const Avvik__V1__Case *found,
	const Avvik__V1__RungPlanned *rung, char ***ret_told, size_t *ret_count, bool *ret_nobody);
/* A portion of what is left of open cases that go over to another rule pack (rules_apply.c): about `limit`
 * events, cases that stay as they are counted as one. *ret_worked: false when none is under way. */
int workflow_apply_rules(struct av_ctx *ctx, unsigned int limit, bool *ret_worked);
int workflow_on_due(struct av_ctx *ctx, unsigned int limit, bool *ret_more);
int64_t workflow_next_due(struct av_txn *txn);
int workflow_open_parts(void *keystore, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item);
/* On the loop thread: rules that find nobody for open deadlines (reach.c). */
void workflow_reach_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena);
/* The state tables as Markdown, as in docs/case-tables.md. */
void workflow_describe(void *stream);

/* A refusal with one fault; also the reply's sentence. Answers `status`. */
int workflow_refuse(struct av_ctx *ctx, int status, int code, const char *path, const char *text_format, ...)
	AV_PRINTF(5, 6);
bool workflow_sees_case(
	const struct av_ctx *ctx, const struct workflow_view *view, const Avvik__V1__Case *found);

#endif
