/* intake_world.c - see intake_world.h */
#include "intake_world.h"

#include <stdlib.h>

int world_start(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	static const char *const one[] = {"aldreomsorg", NULL};
	if (!w)
		return -1;
	w->h = harness_open(&intake_service, harness_at(NOW));
	w->publisher = harness_principal("lifecare", "publisher", AV_MAY_PUBLISH);
	w->stranger = harness_principal("treserva", "publisher", AV_MAY_PUBLISH);
	w->limited = harness_principal("larm", "publisher", AV_MAY_PUBLISH);
	w->limited.units = one;
	w->administrator = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	w->case_system = harness_principal("cases", "case_system", AV_MAY_ACT | AV_MAY_CONTENT);
	*state = w;
	return 0;
}

int world_stop(void **state)
{
	struct world *w = *state;
	harness_close(&w->h);
	free(w);
	return 0;
}

Avvik__V1__Reply *world_publish_rules(struct world *w, const char *reference, Avvik__V1__RulePack *rules)
{
	Avvik__V1__PublishRules order = AVVIK__V1__PUBLISH_RULES__INIT;
	order.rules = rules;
	order.reason = TEXT("test");
	return harness_order(w->h, &w->administrator, reference, NULL, COMMAND(PUBLISH_RULES), &order.base);
}

Avvik__V1__Reply *world_publish_directory(
	struct world *w, const char *reference, Avvik__V1__Directory *directory)
{
	Avvik__V1__PublishDirectory order = AVVIK__V1__PUBLISH_DIRECTORY__INIT;
	order.directory = directory;
	order.reason = TEXT("test");
	return harness_order(
		w->h, &w->administrator, reference, NULL, COMMAND(PUBLISH_DIRECTORY), &order.base);
}

void world_publish(struct world *w)
{
	harness_want(world_publish_rules(w, "rules", support_rules(w->h->arena)), REPLY(DONE));
	harness_want(world_publish_directory(w, "directory", support_lindaker(w->h->arena)), REPLY(DONE));
}

Avvik__V1__FileReport *world_report(struct world *w)
{
	return REPORT("type: lex_sarah\n"
		      "unit: " LEAF "\n"
		      "concerns: one_person\n"
		      "occurred_from_at: 2026-04-06 22:00\n"
		      "noticed_at: 2026-04-07 07:30\n"
		      "channel: system\n"
		      "laws: [sol]\n"
		      "category: UTF\n"
		      "subcategory: UTF_UTEBLIVEN\n"
		      "registry_number: SN 2026/0042\n"
		      "source_system: lifecare\n"
		      "attachments:\n"
		      "  - { hash: "
		      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, size_bytes: 12, "
		      "media_type: "
		      "image/jpeg, reference: dok/7 }\n"
		      "narrative:\n"
		      "  description: " SECRET_EVENT "\n"
		      "  immediate_measures: [{ text: larmet byttes, taken_at: 2026-04-07 08:00 }]\n"
		      "persons: { affected: [{ name: " SECRET_PERSON ", sex: woman, birth_year: 1938 }] }\n"
		      "reporter: { name: " SECRET_REPORTER ", mail: rut@lindaker.example }\n",
		w->h->arena);
}

Avvik__V1__Reply *world_file(struct world *w, const struct av_principal *sender, const char *reference,
	Avvik__V1__FileReport *report)
{
	return harness_order(w->h, sender, reference, NULL, COMMAND(FILE_REPORT), &report->base);
}

Avvik__V1__Reply *world_ask(
	struct world *w, const struct av_principal *sender, unsigned int number, ProtobufCMessage *query)
{
	return harness_order(w->h, sender, NULL, NULL, number, query);
}

void world_assert_faults(const Avvik__V1__Reply *reply, const char *const *want, size_t count)
{
	struct av_arena *arena = av_arena_create(0);
	struct av_faults faults;
	av_faults_init(&faults, arena);
	for (size_t i = 0; i < reply->n_faults; i++)
		av_fault(&faults, reply->faults[i]->code, reply->faults[i]->path, "%s",
			reply->faults[i]->text);
	support_assert_faults(&faults, want, count);
	av_arena_destroy(&arena);
}

bool world_holds(struct av_bytes bytes, const char *text)
{
	size_t length = strlen(text);
	for (size_t at = 0; at + length <= bytes.size; at++)
		if (memcmp((const char *)bytes.data + at, text, length) == 0)
			return true;
	return false;
}

bool world_journal_holds(struct world *w, const char *text)
{
	struct av_txn *txn = harness_read(w->h);
	struct av_bytes event;
	bool holds = false;
	for (uint64_t sequence = 1; av_journal_read(txn, sequence, &event, NULL) == AV_OK; sequence++)
		holds |= world_holds(event, text);
	av_txn_abort(&txn);
	return holds;
}
