/* health.c - is everybody told who should be?
 *
 * Besides what has happened (given up, unreachable, waiting) it looks ahead: does every recipient of every
 * notice of the rules in force find someone for every unit, on each day of the next two months (the longest
 * statutory period)? That walks the whole organisation, so it is done once per directory, pack and day. What
 * deadlines have to say is looked at by workflow, until the last of each.
 */
#include "health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "attempts_store.h"
#include "compose.h"
#include "notice_rules.h"
#include "outbox.h"

#define STATE(name) AVVIK__V1__NOTICE_STATE__NOTICE_STATE_##name
#define AHEAD_DAYS 62
#define GAPS_MAX 5
#define SERVER_FAILURES 3

/* --- who cannot be reached, by the rules --- */

struct gap {
	char rule[21], role[41], unit[41];
	struct av_org_gap days;
};

struct reach {
	struct av_id directory;
	char version[41];
	av_day day;
	struct gap gaps[GAPS_MAX];
	size_t count; /* all, also those not kept */
};

void reach_free(struct reach **reach)
{
	free(*reach);
	*reach = NULL;
}

static bool rule_concerns(const Avvik__V1__NoticeRule *rule, const Avvik__V1__Unit *unit)
{
	for (size_t i = 0; i < rule->n_operations; i++)
		if (strcmp(rule->operations[i], notice_operation((int)unit->operation)) == 0)
			return true;
	return rule->n_operations == 0;
}

static void add_gap(
	struct reach *reach, const char *rule, const char *role, const char *unit, struct av_org_gap days)
{
	if (reach->count < GAPS_MAX) {
		struct gap *gap = &reach->gaps[reach->count];
		snprintf(gap->rule, sizeof gap->rule, "%s", rule);
		snprintf(gap->role, sizeof gap->role, "%s", role);
		snprintf(gap->unit, sizeof gap->unit, "%s", unit);
		gap->days = days;
	}
	reach->count++;
}

static void look_for(struct reach *reach, const struct av_org *org, const Avvik__V1__NoticeRule *rule,
	const Avvik__V1__Recipient *to, av_day today)
{
	const Avvik__V1__Directory *directory = av_org_directory(org);
	struct av_org_gap gaps[AV_ORG_TURNS_MAX];
	av_day turns[AV_ORG_TURNS_MAX];
	size_t turn_count, count;

	if (av_org_role_is_special(to->role))
		return;
	turn_count = av_org_turns(org, to->role, today, today + AHEAD_DAYS, turns);
	for (size_t i = 0; i < directory->n_units; i++) {
		const Avvik__V1__Unit *unit = directory->units[i];
		if (!av_org_leaf(org, unit) || !rule_concerns(rule, unit))
			continue;
		count = av_org_gaps(
			org, to->role, unit->code, av_org_level(to->from_level), turns, turn_count, gaps);
		for (size_t k = 0; k < count; k++)
			add_gap(reach, rule->id, to->role, unit->code, gaps[k]);
	}
}

static void look_ahead(
	struct reach *reach, const struct av_org *org, const Avvik__V1__RulePack *pack, av_day today)
{
	for (size_t i = 0; i < pack->n_notices; i++)
		for (size_t k = 0; k < pack->notices[i]->n_to; k++)
			look_for(reach, org, pack->notices[i], pack->notices[i]->to[k], today);
}

/* The pack that a case received today gets: of two that begin on the same day, the one published last. */
static const Avvik__V1__RulePack *pack_in_force(struct known *known, struct av_txn *txn, av_day today)
{
	struct av_iter it = av_iter(txn, TABLE_PACKS, av_bytes(NULL, 0), av_bytes(NULL, 0));
	const Avvik__V1__RulePack *best = NULL, *pack;
	char version[41], best_version[41] = "";
	unsigned char best_published[AV_ID_SIZE];

	while (av_iter_next(&it)) {
		if (it.key.size >= sizeof version || it.value.size < AV_ID_SIZE)
			continue;
		memcpy(version, it.key.data, it.key.size);
		version[it.key.size] = '\0';
		if (known_pack(known, txn, version, &pack) < 0 || pack->valid_from_on > today ||
			(pack->valid_until_on && pack->valid_until_on < today))
			continue;
		if (*best_version && known_pack(known, txn, best_version, &best) == AV_OK &&
			(best->valid_from_on > pack->valid_from_on ||
				(best->valid_from_on == pack->valid_from_on &&
					memcmp(best_published, it.value.data, AV_ID_SIZE) > 0)))
			continue;
		memcpy(best_version, version, sizeof version);
		memcpy(best_published, it.value.data, AV_ID_SIZE);
	}
	av_iter_end(&it);
	return *best_version && known_pack(known, txn, best_version, &best) == AV_OK ? best : NULL;
}

static void report_reach(struct av_daemon *daemon, const struct reach *reach)
{
	for (size_t i = 0; i < AV_MIN(reach->count, (size_t)GAPS_MAX); i++) {
		const struct gap *gap = &reach->gaps[i];
		char from[AV_DATE_TEXT], until[AV_DATE_TEXT];
		av_day_text(gap->days.from, from);
		av_day_text(gap->days.until, until);
		av_health(daemon, "rule_reaches_nobody", false,
			"rule %s: nobody holds the role %s for the unit %s from %s%s%s; give it to someone "
			"in the "
			"directory",
			gap->rule, gap->role, gap->unit, from, gap->days.until ? " to " : " on",
			gap->days.until ? until : "");
	}
	if (reach->count > GAPS_MAX)
		av_health(daemon, "rules_reach_nobody", false,
			"in all %zu times a rule reaches nobody; the first are listed, the directory has the "
			"remedy",
			reach->count);
}

static void check_reach(
	struct av_daemon *daemon, struct outbox *outbox, struct av_txn *txn, const Avvik__V1__RulePack *pack)
{
	struct reach **kept = outbox_reach(outbox), *reach = *kept;
	av_day today = av_local_day(av_daemon_now_ms(daemon));
	const struct av_org *org;

	if (known_org(outbox_known(outbox), txn, &org) < 0) {
		av_health(daemon, "no_directory", false,
			"no directory has arrived: nobody can be told; publish one");
		return;
	}
	struct av_id id = known_org_id(outbox_known(outbox));
	if (!reach || reach->day != today || strcmp(reach->version, pack->version) != 0 ||
		memcmp(&reach->directory, &id, sizeof id) != 0) {
		reach_free(kept);
		reach = *kept = calloc(1, sizeof *reach);
		if (!reach)
			return;
		reach->directory = id;
		reach->day = today;
		snprintf(reach->version, sizeof reach->version, "%s", pack->version);
		look_ahead(reach, org, pack, today);
	}
	report_reach(daemon, reach);
}

/* --- templates --- */

static void check_templates(struct av_daemon *daemon, struct outbox *outbox, const Avvik__V1__RulePack *pack,
	struct av_arena *arena)
{
	struct templates *templates = outbox_templates(outbox);
	struct av_faults faults;

	av_faults_init(&faults, arena);
	templates_faults(templates, &faults);
	for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
		av_health(daemon, "template_faulty", false, "%s %s; the one before stays in use", fault->path,
			fault->text);
	for (size_t i = 0; pack && i < pack->n_notices; i++)
		if (!templates_find(templates, pack->notices[i]->template_))
			av_health(daemon, "template_missing", true,
				"rule %s names the template %s, which there is not: add it to the template "
				"folder",
				pack->notices[i]->id, pack->notices[i]->template_);
}

/* --- what has happened --- */

/* A notice is decided at the most a day, and a weekend of quiet, before it is given up. */
static void check_given_up(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	int64_t now_ms = av_daemon_now_ms(daemon);
	unsigned char from[1 + AV_ID_SIZE] = {STATE(GIVEN_UP)};
	struct av_id since = id_since(now_ms - RECENT_MS - 4 * AV_DAY_MS);
	const char *last_error = "";
	size_t count = 0;

	memcpy(from + 1, since.bytes, AV_ID_SIZE);
	struct av_iter it = av_iter(txn, TABLE_STATES, av_bytes(from, 1), av_bytes(from, sizeof from));
	while (count < 1000 && av_iter_next(&it)) {
		Avvik__V1__Notice *notice;
		struct av_id id;
		memcpy(id.bytes, (const unsigned char *)it.key.data + 1, AV_ID_SIZE);
		if (notice_load(txn, &id, arena, &notice) < 0 || notice->ended_at_ms < now_ms - RECENT_MS ||
			strcmp(notice->last_error, outcome_code(OUTCOME_CASE_CLOSED)) == 0)
			continue;
		last_error = notice->last_error;
		count++;
	}
	av_iter_end(&it);
	if (count)
		av_health(daemon, "notices_given_up", true,
			"%zu notices could not be delivered in the last seven days, the last since %s; list "
			"those given up, and retry them",
			count, outcome_words_of(last_error));
	av_metric(daemon, "notices_given_up_recently", "", (double)count, false,
		"Notices given up in the last seven days, but those of closed cases");
}

static void check_unreachable(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	unsigned char from[1 + AV_ID_SIZE] = {'t'};
	struct av_id since = id_since(av_daemon_now_ms(daemon) - RECENT_MS);
	size_t nobody = 0, reporters = 0;

	memcpy(from + 1, since.bytes, AV_ID_SIZE);
	struct av_iter it = av_iter(txn, TABLE_UNREACHABLE, av_bytes(from, 1), av_bytes(from, sizeof from));
	for (size_t looked_at = 0; looked_at < UNREACHABLE_LOOKED_AT && av_iter_next(&it); looked_at++) {
		bool reporter = unreachable_is_reporter(it.key);
		nobody += !reporter;
		reporters += reporter;
	}
	av_iter_end(&it);
	(void)arena;
	if (nobody)
		av_health(daemon, "notices_reached_nobody", true,
			"%zu times in the last seven days nobody could be told; list the notices, which end "
			"with them, and "
			"give the roles to someone",
			nobody);
	av_metric(daemon, "reporters_without_address", "", (double)reporters, false,
		"Notices of the last seven days to reporters who left no address");
}

static void check_waiting(struct av_daemon *daemon, struct av_txn *txn)
{
	size_t waiting = av_table_count(txn, TABLE_WAITING);
	int64_t look_ms = waiting_next_look(txn);

	av_metric(daemon, "events_waiting", "", (double)waiting, false,
		"Events of cases that wait for a report, rule pack or directory");
	if (waiting && look_ms - WAITING_LOOK_MS / 2 < av_daemon_now_ms(daemon))
		av_health(daemon, "events_waiting", false,
			"%zu events of cases wait for what intake knows; if this stays, see to the feed from "
			"intake",
			waiting);
}

static void check_mail(struct av_daemon *daemon, const struct outbox_state *state)
{
	if (!state->started)
		av_health(daemon, "delivery_not_started", false,
			"delivery has not begun yet; if this stays, restart the daemon");
	if (state->server_failures >= SERVER_FAILURES)
		av_health(daemon, "mail_down", true, "no mail gets through: %s",
			outcome_words(state->last_outcome));
	av_metric(daemon, "mails_under_way", "", (double)state->under_way, false,
		"Mails handed to the transport");
}

static void count_states(struct av_daemon *daemon, struct av_txn *txn)
{
	/* Decided and scheduled are counted by tables that hold nothing else; the whole by the records. */
	av_metric(daemon, "notices", "", (double)av_table_count(txn, TABLE_NOTICES), true, "Notices decided");
	av_metric(daemon, "notices_scheduled", "", (double)av_table_count(txn, TABLE_SCHEDULE), false,
		"Notices that wait to be sent");
}

void notification_health(struct av_daemon *daemon, struct av_txn *txn, struct av_arena *arena)
{
	struct outbox *outbox = outbox_of(daemon);
	if (!outbox)
		return;
	struct outbox_state state = outbox_state(outbox);
	const Avvik__V1__RulePack *pack =
		pack_in_force(outbox_known(outbox), txn, av_local_day(av_daemon_now_ms(daemon)));

	check_mail(daemon, &state);
	check_given_up(daemon, txn, arena);
	check_unreachable(daemon, txn, arena);
	check_waiting(daemon, txn);
	check_templates(daemon, outbox, pack, arena);
	if (pack)
		check_reach(daemon, outbox, txn, pack);
	count_states(daemon, txn);
}

void notification_describe(void *stream)
{
	fprintf(stream, "\nplaceholders of templates\n");
	for (int i = 0; i < FIELD_COUNT; i++)
		fprintf(stream, "  {{%s}}%*s%s\n", template_field_name((enum template_field)i),
			(int)(16 - strlen(template_field_name((enum template_field)i))), "",
			template_field_what((enum template_field)i));
}
