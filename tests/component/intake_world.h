/* intake_world.h - intake with its senders, for component tests. */
#ifndef AVVIK_TESTS_INTAKE_WORLD_H
#define AVVIK_TESTS_INTAKE_WORLD_H

#include "handlers.h"
#include "harness.h"
#include "intake_store.h"
#include "intake_support.h"
#include "seal/receipt.h"

#define NOW "2026-04-07 12:00"
#define LEAF "bjorkgarden-plan-1"
#define COMMAND(name) AVVIK__V1__COMMAND__BODY_##name
#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define REPLY(name) AVVIK__V1__REPLY_STATUS__REPLY_STATUS_##name
#define TEXT(text) ((char *)(uintptr_t)(text))
/* Words that stand in the content of world_report alone. */
#define SECRET_EVENT "fick vänta hela natten"
#define SECRET_PERSON "Berta Brukarsson"
#define SECRET_REPORTER "Rut Rapportlund"

struct world {
	struct harness *h;
	struct av_principal publisher, stranger, limited, administrator, case_system;
};

/* cmocka set-up and tear-down: state is a struct world; without anything published. */
int world_start(void **state);
int world_stop(void **state);
#define world_test(function) cmocka_unit_test_setup_teardown(function, world_start, world_stop)

/* The shipped rules and directory, published in this order. */
void world_publish(struct world *w);
Avvik__V1__Reply *world_publish_rules(struct world *w, const char *reference, Avvik__V1__RulePack *rules);
Avvik__V1__Reply *world_publish_directory(
	struct world *w, const char *reference, Avvik__V1__Directory *directory);

/* A lex Sarah report without any fault, with all four parts. In the harness' arena. */
Avvik__V1__FileReport *world_report(struct world *w);
Avvik__V1__Reply *world_file(struct world *w, const struct av_principal *sender, const char *reference,
	Avvik__V1__FileReport *report);
Avvik__V1__Reply *world_ask(
	struct world *w, const struct av_principal *sender, unsigned int number, ProtobufCMessage *query);

/* Exactly these, as support_assert_faults. */
void world_assert_faults(const Avvik__V1__Reply *reply, const char *const *want, size_t count);
#define assert_reply_faults(reply, ...)                                \
	world_assert_faults(reply, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
bool world_holds(struct av_bytes bytes, const char *text);
/* Does any event of the journal hold the text? */
bool world_journal_holds(struct world *w, const char *text);

#endif
