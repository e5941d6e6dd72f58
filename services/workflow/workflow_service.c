/* workflow_service.c - what workflow hands to the skeleton: its tables are its flow, its rights and its
 * documentation. */
#include "workflow.h"

#include "base/macros.h"

#define BODY(name) AVVIK__V1__COMMAND__BODY_##name
#define EVENT(name) AVVIK__V1__EVENT__BODY_##name

#define ACT_EVENTS                                                                                         \
	"CasePlaced, ReporterNamed, CaseRemedied, AffectedInformed, CaseAssessedInitially, SeriousFound, " \
	"EntryRecorded, InvestigationCompleted, CaseDecided, IvoNotified, InvestigationHandedIn, "         \
	"MeasureProposed, ProposalDecided, MeasureDecided, NoMeasuresDecided, MeasureExecuted, "           \
	"EffectJudged, MeasureEvaluated, CaseClosed, RecurrenceFound, RecurrenceNoted, "                   \
	"CaseTakenForReview, CompletionRequested, CompletionAnswered, InquiryBegun, RiskAssessed, "        \
	"HighRiskFound, InquiryCompleted, CaseTurnedLexSarah, IvoDutyLifted, IvoRequested, IvoAnswered, "  \
	"IvoDecided, "                                                                                     \
	"CaseReconsidered, CaseReturnedToDeviation, CaseReopened, RelativesInformed, FileEntryConfirmed, " \
	"PoliceReportDecided, RegistryNumberSet, InformationRegistered, ProviderNotified, CaseJoined, "    \
	"OtherJoined, CaseParted, OtherParted, JoinedCaseClosed, DuplicateDismissed, ContentCorrected, "   \
	"ContentErased, ContentGranted, DeadlineSet, "                                                     \
	"DeadlineMet, DeadlineCancelled, "                                                                 \
	"DeadlineStopped, DeadlineResumed, DeadlineExtended, DeadlineReplanned"

/* What may have been done in another system. */
#define TAKEN_EVENTS                                                                                     \
	"CaseOpened, CaseRemedied, AffectedInformed, RelativesInformed, FileEntryConfirmed, "            \
	"PoliceReportDecided, RegistryNumberSet, CaseAssessedInitially, SeriousFound, IvoDutyLifted, "   \
	"EntryRecorded, InvestigationCompleted, CaseDecided, IvoNotified, InvestigationHandedIn, "       \
	"IvoRequested, IvoAnswered, IvoDecided, CaseReconsidered, MeasureProposed, ProposalDecided, "    \
	"MeasureDecided, NoMeasuresDecided, MeasureExecuted, EffectJudged, MeasureEvaluated, "           \
	"CaseTakenForReview, CompletionRequested, CompletionAnswered, InquiryBegun, RiskAssessed, "      \
	"HighRiskFound, InquiryCompleted, CaseTurnedLexSarah, InformationRegistered, ProviderNotified, " \
	"DeadlineSet, DeadlineMet, DeadlineCancelled, DeadlineStopped, DeadlineResumed, "                \
	"DeadlineReplanned, CaseTakenOver"

static const struct av_command_row commands[] = {
	/* clang-format off */
	/* message                  kind      who may call (any of these)    flags       handler               emits */
	{BODY(ACT_ON_CASE),       AV_ORDER, AV_MAY_ACT,                    0,          on_act_on_case,       ACT_EVENTS},
	{BODY(GET_CASE),          AV_QUERY, AV_MAY_QUERY | AV_MAY_ACT,     0,          on_get_case,          ""},
	{BODY(LIST_CASES),        AV_QUERY, AV_MAY_QUERY | AV_MAY_ACT,     0,          on_list_cases,        ""},
	{BODY(LIST_DEADLINES),    AV_QUERY, AV_MAY_QUERY | AV_MAY_ACT,     0,          on_list_deadlines,    ""},
	{BODY(GET_WHY),           AV_QUERY, AV_MAY_QUERY | AV_MAY_ACT,     0,          on_get_why,           ""},
	{BODY(GET_REPORT_STATUS), AV_QUERY, AV_MAY_PUBLISH,                0,          on_get_report_status, ""},
	{BODY(TELL_NOTIFICATION), AV_ORDER, AV_MAY_PUBLISH,                0,          on_tell_notification, "ProviderNotified, DeadlineSet, DeadlineMet"},
	{BODY(READ_CONTENT),      AV_ORDER, AV_MAY_CONTENT,                0,          on_read_content,      "ContentGranted"},
	{BODY(ERASE_CONTENT),     AV_ORDER, AV_MAY_CONTENT,                AV_AT_FULL, on_erase_content,     "ContentGranted"},
	{BODY(PREVIEW_RULES),     AV_QUERY, AV_MAY_ADMINISTER,             AV_LARGE,   on_preview_rules,     ""},
	{BODY(PREVIEW_DIRECTORY), AV_QUERY, AV_MAY_ADMINISTER,             AV_LARGE,   on_preview_directory, ""},
	{BODY(GET_REACH),         AV_QUERY, AV_MAY_ADMINISTER | AV_MAY_STATUS, 0,      on_get_reach,         ""},
	{BODY(WHAT_IF),           AV_QUERY, AV_MAY_ADMINISTER,             AV_LARGE,   on_what_if,           ""},
	{BODY(APPLY_RULES),       AV_ORDER, AV_MAY_ADMINISTER,             0,          on_apply_rules,       "RulesApplied, CaseRulesSet, DeadlineReplanned, DeadlineCancelled, DeadlineSet"},
	{BODY(CHECK_TAKEOVER),    AV_TRIAL, AV_MAY_TAKE_OVER,              AV_LARGE | AV_AT_FULL, on_check_takeover, ""},
	{BODY(TAKE_OVER_CASE),    AV_ORDER, AV_MAY_TAKE_OVER,              AV_LARGE,   on_take_over_case,    TAKEN_EVENTS},
	{BODY(OPEN_CONTENT),      AV_ONCE,  AV_MAY_CONTENT,                AV_AT_FULL, on_open_content,      "ContentRead, ContentErased"},
};

static const struct av_event_row events[] = {
	/* feed      event                        handler                 emits */
	{"intake", EVENT(REPORT_FILED),         on_report_filed,        "CaseOpened, CaseRemedied, DeadlineSet, DeadlineMet, RecurrenceFound, RecurrenceNoted"},
	{"intake", EVENT(REPORT_SUPPLEMENTED),  on_report_supplemented, "CaseSupplemented, CompletionAnswered, DeadlineMet"},
	{"intake", EVENT(CONTENT_ERASED),       on_content_erased,      "CorrectionCompleted"},
	{"intake", EVENT(DIRECTORY_PUBLISHED),  on_directory_published, "DirectoryPublished, CasePlaced"},
	{"intake", EVENT(RULES_PUBLISHED),      on_rules_published,     "RulesPublished, CaseRulesSet, DeadlineSet, DeadlineMet"},
}; /* clang-format on */

/* Cases without rules have no deadlines, and nobody would know. */
static void health_rules(struct av_daemon *daemon, struct av_txn *txn)
{
	struct av_iter it = av_iter(txn, TABLE_UNRULED, av_bytes(NULL, 0), av_bytes(NULL, 0));
	char day[AV_DATE_TEXT];

	if (av_iter_next(&it) && it.key.size == 4 + AV_ID_SIZE) {
		av_day_text((av_day)av_get_u32(it.key.data), day);
		av_health(daemon, "no_rules", true,
			"no rule pack covers the cases received on %s, so that %zu cases have no deadlines: "
			"publish one that does with `avvik rules publish FILE`",
			day, av_table_count(txn, TABLE_UNRULED));
	}
	av_iter_end(&it);
}

static void health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	struct workflow_published directory;

	if (published_directory(txn, &directory) == AV_NOT_FOUND)
		av_health(daemon, "no_directory", true,
			"no directory has been published, so that nobody may act on a case: publish one with "
			"`avvik directory publish FILE`");
	if (av_table_count(txn, TABLE_UNPLACED) > 0)
		av_health(daemon, "unplaced", false,
			"%zu cases wait for a unit: place them with `avvik case place`, or publish a "
			"directory that has the unit",
			av_table_count(txn, TABLE_UNPLACED));
	health_rules(daemon, txn);
	workflow_reach_health(daemon, txn, arena);
	av_metric(daemon, "avvik_workflow_cases", "", (double)av_table_count(txn, TABLE_CASES), false,
		"Cases in the store.");
	av_metric(daemon, "avvik_workflow_deadlines_running", "", (double)av_table_count(txn, TABLE_DUE),
		false, "Deadlines that have not ended.");
	av_metric(daemon, "avvik_workflow_rungs_planned", "", (double)av_table_count(txn, TABLE_RUNGS), false,
		"Running deadlines with a warning or escalation to come.");
}

/* What health has read of what was published. */
static int start(struct av_daemon *daemon)
{
	void *cache = workflow_cache_create();

	av_daemon_set_user(daemon, cache);
	return cache ? AV_OK : AV_MEMORY;
}

static void stop(struct av_daemon *daemon)
{
	workflow_cache_destroy(av_daemon_user(daemon));
	av_daemon_set_user(daemon, NULL);
}

const struct av_service workflow_service = {
	.name = "workflow",
	.purpose = "cases: states, decisions, deadlines, measures, follow-ups; who may read content",
	.tables = workflow_tables,
	.table_count = WORKFLOW_TABLE_COUNT,
	.commands = commands,
	.command_count = AV_COUNT(commands),
	.events = events,
	.event_count = AV_COUNT(events),
	.apply = workflow_apply,
	.on_due = workflow_on_due,
	.next_due = workflow_next_due,
	.open_parts = workflow_open_parts,
	.cache_create = workflow_cache_create,
	.cache_destroy = workflow_cache_destroy,
	.start = start,
	.stop = stop,
	.health = health,
	.describe = workflow_describe,
};
