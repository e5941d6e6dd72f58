/* intake_service.c - what intake hands to the skeleton: its tables are its flow, its rights and its
 * documentation. */
#include <string.h>

#include "handlers.h"
#include "intake_store.h"
#include "intake_view.h"

#define BODY(name) AVVIK__V1__COMMAND__BODY_##name
#define ENDS_SOON_DAYS 30

#define ANYBODY (AV_MAY_PUBLISH | AV_MAY_ACT | AV_MAY_QUERY | AV_MAY_ADMINISTER)
#define VERIFIER (AV_MAY_PUBLISH | AV_MAY_QUERY | AV_MAY_ADMINISTER)

static const struct av_command_row commands[] = {
	/* clang-format off */
	/* message                kind      who may call       flags       handler               emits */
	{BODY(FILE_REPORT),       AV_ORDER, AV_MAY_PUBLISH,    0,          on_file_report,       "ReportFiled"},
	{BODY(SUPPLEMENT_REPORT), AV_ORDER, AV_MAY_PUBLISH,    0,          on_supplement_report, "ReportSupplemented"},
	{BODY(GET_RECEIPT),       AV_QUERY, AV_MAY_PUBLISH,    0,          on_get_receipt,       ""},
	{BODY(VERIFY_RECEIPT),    AV_QUERY, VERIFIER,          0,          on_verify_receipt,    ""},
	{BODY(PUBLISH_DIRECTORY), AV_ORDER, AV_MAY_ADMINISTER, AV_LARGE,   on_publish_directory, "DirectoryPublished, ContentErased"},
	{BODY(PUBLISH_RULES),     AV_ORDER, AV_MAY_ADMINISTER, AV_LARGE,   on_publish_rules,     "RulesPublished"},
	{BODY(GET_DIRECTORY),     AV_QUERY, ANYBODY,           0,          on_get_directory,     ""},
	{BODY(GET_RULES),         AV_QUERY, ANYBODY,           0,          on_get_rules,         ""},
	{BODY(OPEN_CONTENT),      AV_ONCE,  AV_MAY_CONTENT,    AV_AT_FULL, on_open_content,      "ContentRead, ContentErased"},
}; /* clang-format on */

static void health_rules(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	av_day today = av_local_day(av_daemon_now_ms(daemon));
	struct published *packs;
	struct rulepack_days *days;
	size_t count;
	if (rules_list(txn, arena, &packs, &count) < 0 ||
		!(days = av_arena_zalloc(arena, (count + 1) * sizeof(*days))))
		return; /* the store's own health tells of damage */
	for (size_t i = 0; i < count; i++) {
		days[i].from = packs[i].from;
		days[i].until = packs[i].until;
	}
	if (rulepack_on(days, count, today) == count)
		av_health(daemon, "no_rules", true,
			"no rule pack holds today, so that cases open without deadlines: publish one with "
			"`avvik rules publish FILE`");
	else if (rulepack_on(days, count, today + ENDS_SOON_DAYS) == count)
		av_health(daemon, "rules_end", false,
			"the rule pack in force ends within %d days: publish the next one with `avvik rules "
			"publish FILE`",
			ENDS_SOON_DAYS);
}

static void health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	struct current current;
	current_load(txn, &current);
	if (current.directory_sequence == 0)
		av_health(daemon, "no_directory", true,
			"no directory has been published, so that every report waits to be placed: publish "
			"one with "
			"`avvik directory publish FILE`");
	health_rules(daemon, txn, arena);
	av_metric(daemon, "avvik_intake_report_events", "", (double)av_table_count(txn, AV_TABLE_BY_CASE),
		true, "Events of reports: filed, supplemented, content read or erased.");
}

const struct av_service intake_service = {
	.name = "intake",
	.purpose = "receives reports, and publishes the organisation and the rules",
	.tables = intake_tables,
	.table_count = INTAKE_TABLE_COUNT,
	.commands = commands,
	.command_count = AV_COUNT(commands),
	.apply = intake_apply,
	.receipt_leaf = report_receipt_leaf,
	.open_parts = content_open_parts,
	.cache_create = view_create,
	.cache_destroy = view_destroy,
	.health = health,
};
