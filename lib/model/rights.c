/* SPDX-License-Identifier: MIT */
/* The one table of rights and scopes, and what can be said about them. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <reeve/ruleset.h>
#include "base/cleanup.h"

#define FS(bit, word, since, text)                                                                 \
	{                                                                                          \
		REEVE_FS, REEVE_FS_##bit, word, "fs." word, since, text                            \
	}
#define NET(bit, word, since, text)                                                                \
	{                                                                                          \
		REEVE_NET, REEVE_NET_##bit, word, "net." word, since, text                         \
	}
#define SOCK(bit, word, since, text)                                                               \
	{                                                                                          \
		REEVE_SOCKET, REEVE_SOCKET_##bit, word, "socket." word, since, text                \
	}
#define SCOPE(bit, word, since, text)                                                              \
	{                                                                                          \
		REEVE_SCOPE, REEVE_SCOPE_##bit, word, "scope." word, since, text                   \
	}

/* Sorted by class, then by bit. */
static const struct reeve_right_info rights[] = {
	FS(EXECUTE, "execute", 1, "execute a file"),
	FS(WRITE_FILE, "write_file", 1, "open a file for writing"),
	FS(READ_FILE, "read_file", 1, "open a file for reading"),
	FS(READ_DIR, "read_dir", 1, "open a directory and list it"),
	FS(REMOVE_DIR, "remove_dir", 1, "remove or rename an empty directory"),
	FS(REMOVE_FILE, "remove_file", 1, "remove or rename anything that is not a directory"),
	FS(MAKE_CHAR, "make_char", 1, "create, rename or link a character device"),
	FS(MAKE_DIR, "make_dir", 1, "create or rename a directory"),
	FS(MAKE_REG, "make_reg", 1, "create, rename or link a regular file"),
	FS(MAKE_SOCK, "make_sock", 1, "create, rename or link a UNIX socket"),
	FS(MAKE_FIFO, "make_fifo", 1, "create, rename or link a named pipe"),
	FS(MAKE_BLOCK, "make_block", 1, "create, rename or link a block device"),
	FS(MAKE_SYM, "make_sym", 1, "create, rename or link a symbolic link"),
	FS(REFER, "refer", 2, "rename or link a file into another directory"),
	FS(TRUNCATE, "truncate", 3, "cut a file to another length"),
	FS(IOCTL_DEV, "ioctl_dev", 5, "send ioctl commands to a device"),
	FS(RESOLVE_UNIX, "resolve_unix", 9,
		"connect or send to a UNIX socket made outside, by its path"),
	NET(BIND_TCP, "bind_tcp", 4, "bind a TCP socket to a local port"),
	NET(CONNECT_TCP, "connect_tcp", 4, "connect a TCP socket to a remote port"),
	NET(BIND_UDP, "bind_udp", 10, "bind a UDP socket to a local port"),
	NET(CONNECT_SEND_UDP, "connect_send_udp", 10,
		"connect or send UDP datagrams to a remote port"),
	SOCK(CREATE, "create", 0, "create a socket"),
	SCOPE(ABSTRACT_UNIX_SOCKET, "abstract_unix_socket", 6,
		"reach abstract UNIX sockets made outside the domain"),
	SCOPE(SIGNAL, "signal", 6, "send signals to processes outside the domain"),
	SCOPE(PATHNAME_UNIX_SOCKET, "pathname_unix_socket", 0,
		"reach pathname UNIX sockets made outside the domain"),
};

static const char *const class_names[REEVE_CLASS_COUNT] = {"fs", "net", "socket", "scope"};

const struct reeve_right_info *reeve_right_at(size_t i)
{
	return i < RV_COUNT(rights) ? &rights[i] : NULL;
}

const struct reeve_right_info *reeve_right_find(enum reeve_class cls, const char *name)
{
	for (size_t i = 0; i < RV_COUNT(rights); i++) {
		const char *own = cls == REEVE_CLASS_COUNT ? rights[i].full_name : rights[i].name;

		if ((cls == REEVE_CLASS_COUNT || cls == rights[i].cls) && strcmp(own, name) == 0)
			return &rights[i];
	}
	return NULL;
}

const struct reeve_right_info *reeve_right_of_bit(enum reeve_class cls, uint64_t bit)
{
	for (size_t i = 0; i < RV_COUNT(rights); i++)
		if (rights[i].cls == cls && rights[i].bit == bit)
			return &rights[i];
	return NULL;
}

const char *reeve_class_name(enum reeve_class cls)
{
	return (unsigned int)cls < REEVE_CLASS_COUNT ? class_names[cls] : "";
}

uint64_t reeve_rights_of_abi(enum reeve_class cls, int abi)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < RV_COUNT(rights); i++)
		if (rights[i].cls == cls && rights[i].abi > 0 && rights[i].abi <= abi)
			bits |= rights[i].bit;
	return bits;
}

int reeve_rights_group(enum reeve_class cls, const char *group, int abi, uint64_t *ret)
{
	static const uint64_t read_execute =
		REEVE_FS_READ_FILE | REEVE_FS_READ_DIR | REEVE_FS_EXECUTE | REEVE_FS_REFER;
	uint64_t all = reeve_rights_of_abi(cls, abi);

	if ((unsigned int)cls >= REEVE_CLASS_COUNT || abi < 1)
		return -EINVAL;
	if (strcmp(group, "abi.all") == 0)
		*ret = all;
	else if (cls == REEVE_FS && strcmp(group, "abi.read_execute") == 0)
		*ret = all & read_execute;
	else if (cls == REEVE_FS && strcmp(group, "abi.read_write") == 0)
		*ret = all & ~REEVE_FS_EXECUTE;
	else
		return -EINVAL;
	return 0;
}

/* Appends one word and a comma where needed; false where only "..." fits any more. */
static bool append_word(char *buf, size_t size, size_t *at, const char *word)
{
	const char *comma = *at ? ", " : "";
	size_t n = strlen(comma) + strlen(word);

	if (*at + n < size) {
		memcpy(buf + *at, comma, strlen(comma));
		memcpy(buf + *at + strlen(comma), word, strlen(word) + 1);
		*at += n;
		return true;
	}
	if (size >= 4)
		memcpy(buf + (*at + 4 <= size ? *at : size - 4), "...", 4);
	return false;
}

char *reeve_rights_format(enum reeve_class cls, uint64_t bits, char *buf, size_t size)
{
	size_t at = 0;
	char hex[24];

	if (size == 0)
		return buf;
	buf[0] = '\0';
	for (size_t i = 0; i < RV_COUNT(rights); i++) {
		if (rights[i].cls != cls || !(bits & rights[i].bit))
			continue;
		if (!append_word(buf, size, &at, rights[i].name))
			return buf;
		bits &= ~rights[i].bit;
	}
	if (bits) {
		snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)bits);
		append_word(buf, size, &at, hex);
	}
	return buf;
}
