/* settings.h - the settings of an instance (avvik.yaml), and where its files lie.
 *
 * The state folder:
 *	<state>/<daemon>/data     its store
 *	<state>/<daemon>/keys     its content keys
 *	<state>/<daemon>/marks    the item under way
 *	<state>/clock             the stepped clock (development)
 *	<state>/mail              mail of the maildir transport
 *
 * The folder of secret keys, or the systemd credential folder ($CREDENTIALS_DIRECTORY), which goes first,
 * file by file:
 *	<principal>.curve         key pair of a daemon or another principal (av_keypair_save)
 *	<principal>.curve.pub     its public key: one line Z85; of the servers that a client talks to
 *	<daemon>.sign             signing key, AV_SIGN_SECRET_SIZE bytes in hex (av_key_file_save)
 *	<daemon>.sign.pub         its public key, 32 bytes in hex; may be readable by all
 *	master.key                32 bytes in hex: what wraps the content keys
 */
#ifndef AVVIK_DAEMON_SETTINGS_H
#define AVVIK_DAEMON_SETTINGS_H

#include "avvik/v1/settings.pb-c.h"
#include "base/arena.h"
#include "bus/socket.h"
#include "seal/crypto.h"
#include "wire/yaml.h"

#define AV_FILE_CURVE "%s.curve"
#define AV_FILE_CURVE_PUBLIC "%s.curve.pub"
#define AV_FILE_SIGN "%s.sign"
#define AV_FILE_SIGN_PUBLIC "%s.sign.pub"
#define AV_FILE_MASTER "master.key"
#define AV_FOLDER_DATA "data"
#define AV_FOLDER_KEYS "keys"
#define AV_FILE_MARKS "marks"
#define AV_FILE_CLOCK "clock"

#define AV_MAP_MEGABYTES 65536u
#define AV_MEMORY_MEGABYTES 64u
#define AV_CONNECTIONS 1024u
#define AV_FRAME_KILOBYTES 256u
#define AV_TURN_ITEMS 4096u
#define AV_TURN_MILLISECONDS 50u

/* May an instance be called so? a-z, 0-9 and -, 1 to 40. */
bool av_settings_instance_valid(const char *name);
/* Reads and checks the file; fills in every default: no message and no string that has one is missing
 * afterwards, and state, principals, keys, templates and mail->maildir are absolute paths. Every fault is
 * listed with its place and the remedy. AV_INVALID; AV_NOT_FOUND, AV_IO of the file; AV_MEMORY. */
int av_settings_load(const char *path, struct av_arena *arena, struct av_faults *faults,
	Avvik__V1__Settings **ret_settings);
/* What stands in for a file: the embedded default of an instance, for tests and tools. `state` is its folder.
 */
Avvik__V1__Settings *av_settings_default(const char *instance, const char *state, struct av_arena *arena);

/* "intake" ...: NULL when there is no such daemon. */
const Avvik__V1__Endpoints *av_settings_endpoints(const Avvik__V1__Settings *settings, const char *daemon);
bool av_settings_stepped(const Avvik__V1__Settings *settings);
/* <state>/<daemon>/<name>, or <state>/<name> with daemon NULL. NULL when out of memory. */
const char *av_state_path(
	const Avvik__V1__Settings *settings, const char *daemon, const char *name, struct av_arena *arena);
/* Where a key file lies: among the credentials when it is there, else in the folder of keys. `format` is
 * AV_FILE_…; name NULL for those without. NULL when out of memory. */
const char *av_key_path(
	const Avvik__V1__Settings *settings, const char *format, const char *name, struct av_arena *arena);
/* The first line of a *.curve.pub file. AV_NOT_FOUND, AV_INVALID. */
int av_curve_public_load(const char *path, char ret_key[AV_CURVE_TEXT]);
/* A *.sign.pub file, which may be readable by all. AV_NOT_FOUND, AV_INVALID. */
int av_sign_public_load(const char *path, unsigned char ret_key[AV_SIGN_PUBLIC_SIZE]);

#endif
