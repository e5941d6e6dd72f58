/* keys.c - avvik keys: an instance's keys. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ask.h"
#include "base/status.h"
#include "instance.h"
#include "subcommands.h"
#include "table.h"

static int keys_init(struct tool *tool, int argc, char **argv)
{
	struct instance_options options = {.name = "lindaker"};
	const char *folder = "state";
	const struct tool_option words[] = {{"name", OPTION_TEXT, &options.name},
		{"templates", OPTION_TEXT, &options.templates},
		{"stepped", OPTION_TIME, &options.stepped_at_ms}};

	if (tool_options(tool, argc, argv, words, AV_COUNT(words), &folder, 1) < 0)
		return EXIT_USAGE;
	options.folder = folder;
	if (instance_make(tool, &options) < 0)
		return EXIT_REFUSED;
	if (!tool->json)
		printf("made an instance in %s: settings avvik.yaml, principals.yaml, keys in keys/\n"
		       "start it with `avvik up --settings %s/avvik.yaml`\n",
			folder, folder);
	return EXIT_DONE;
}

static int keys_new(struct tool *tool, int argc, char **argv)
{
	const char *name = NULL;
	char public_key[41];

	if (tool_options(tool, argc, argv, NULL, 0, &name, 1) < 0)
		return EXIT_USAGE;
	if (!name)
		return tool_usage("keys");
	if (!tool_settings(tool))
		return EXIT_USAGE;
	int status = instance_key_new(tool, tool->settings->keys, name, public_key);
	if (status == AV_EXISTS)
		return tool_fail(EXIT_REFUSED,
			"%s has a key already: `avvik principals rotate %s` makes the next one", name, name);
	if (status == AV_INVALID)
		return EXIT_USAGE;
	if (status < 0)
		return tool_fail(EXIT_REFUSED, "cannot make the key: %s", av_status_text(status));
	printf(tool->json ? "{\"name\": \"%s\", \"public_key\": \"%s\"}\n" : "%s %s\n", name, public_key);
	return EXIT_DONE;
}

static const char *key_use(const char *name, bool public_key)
{
	if (strstr(name, ".curve"))
		return public_key ? "connection, public" : "connection (CURVE25519), secret";
	if (strstr(name, ".sign"))
		return public_key ? "signature, public" : "signature (Ed25519), secret";
	return "wraps the content keys, secret";
}

/* Which files there are, and whether only the owner can read those that are secret. */
static int keys_list(struct tool *tool)
{
	static const char *const headings[] = {"file", "what", "mode", "", NULL};
	struct dirent **entries;
	int bad = 0;

	if (!tool_settings(tool))
		return EXIT_USAGE;
	int count = scandir(tool->settings->keys, &entries, NULL, alphasort);
	if (count < 0)
		return tool_fail(EXIT_REFUSED, "cannot read the keys folder %s", tool->settings->keys);
	struct table *table = tool->json ? NULL : table_create(headings);
	struct json_list list = {0};
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name, *ending = strrchr(name, '.');
		bool public_key = ending && strcmp(ending, ".pub") == 0;
		struct stat about;
		char mode[8];
		const char *path = tool_key_path(tool, "%s", name);
		if (*name != '.' && path && stat(path, &about) == 0) {
			snprintf(mode, sizeof mode, "%04o", (unsigned int)(about.st_mode & 07777));
			bool open = !public_key && (about.st_mode & 077);
			bad += open;
			if (tool->json)
				json_list_value(&list, json_pack("{ssssssss}", "file", name, "what",
							       key_use(name, public_key), "mode", mode,
							       "issue", open ? "readable by others" : ""));
			table_row(table, (const char *const[]){name, key_use(name, public_key), mode,
						 open ? "readable by others: chmod 600" : ""});
		}
		free(entries[i]);
	}
	free(entries);
	if (tool->json) {
		json_list_end(&list);
		return bad ? EXIT_REFUSED : EXIT_DONE;
	}
	table_print(&table);
	printf("\nprofile: connections CURVE25519, XSalsa20, Poly1305; content XChaCha20-Poly1305, 256 bits; "
	       "hashes BLAKE2b-256;\n"
	       "         signatures Ed25519; mail TLS 1.2 or later\n");
	return bad ? EXIT_REFUSED : EXIT_DONE;
}

int command_keys(struct tool *tool, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "init") == 0)
		return keys_init(tool, argc - 1, argv + 1);
	if (argc >= 2 && strcmp(argv[1], "new") == 0)
		return keys_new(tool, argc - 1, argv + 1);
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
		return keys_list(tool);
	return tool_usage("keys");
}
