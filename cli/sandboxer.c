/* SPDX-License-Identifier: MIT */
/*
 * `reeve sandboxer`: the environment variables of the kernel's sample (samples/landlock/sandboxer.c
 * in Linux 7.3), with its meaning: LL_FS_RO and LL_FS_RW must be set and may be empty; a port
 * variable that is not set restricts nothing, one that is empty allows no port; a path that cannot
 * be opened is skipped with a message; the variables do not reach the program. The difference: what
 * a variable asks for and this kernel cannot enforce is an error, not a silent downgrade.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "verbs.h"

#define READ  (REEVE_FS_EXECUTE | REEVE_FS_READ_FILE | REEVE_FS_READ_DIR)
#define WRITE ((reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX)) & ~(uint64_t)READ)

struct sandboxer {
	struct reeve_policy *policy;
	struct reeve_rights handled, quiet;
};

static int failed(const struct reeve_error *err)
{
	cli_print_error(err);
	return CLI_ERROR;
}

/* ------------------------------------------------------------ colon-separated lists */

/* Calls fn for each element of a variable; an empty variable has none. */
static int each_element(const char *variable,
	int (*fn)(void *data, const char *variable, const char *element), void *data)
{
	cli_autofree char *copy = strdup(getenv(variable));
	char *rest = copy, *element;
	int r = 0;

	if (!copy)
		return cli_fail(NULL, "out of memory");
	if (!*copy)
		return 0;
	while (r == 0 && (element = strsep(&rest, ":")))
		r = fn(data, variable, element);
	return r;
}

/* -------------------------------------------------------------------- paths */

struct path_variable {
	struct sandboxer *box;
	uint64_t allowed, quiet;
};

static bool can_open(const char *variable, const char *path)
{
	cli_autoescape char *shown = cli_escape(path);
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "reeve: warning: %s: %s: %s: skipped\n", variable,
			*shown ? shown : "\"\"", strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

static int add_path(void *data, const char *variable, const char *path)
{
	const struct path_variable *paths = data;
	cli_autofree char *quoted = cli_quote_dollars(path);
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.allowed = paths->allowed,
		.quiet = paths->quiet,
		.path = quoted,
		.origin = variable};
	struct reeve_error err = {0};

	if (!quoted)
		return cli_fail(NULL, "out of memory");
	if (!can_open(variable, path))
		return 0;
	return reeve_policy_add_rule(paths->box->policy, &rule, &err) < 0 ? failed(&err) : 0;
}

static int read_paths(struct sandboxer *box)
{
	const struct {
		const char *variable;
		uint64_t allowed;
	} variables[] = {{"LL_FS_RO", READ}, {"LL_FS_RW", READ | WRITE}};
	int r = 0;

	for (size_t i = 0; i < CLI_COUNT(variables) && r == 0; i++) {
		struct path_variable paths = {box, variables[i].allowed, 0};

		if (!getenv(variables[i].variable))
			return cli_fail("LL_FS_RO and LL_FS_RW must be set; both may be empty",
				"sandboxer: %s is not set", variables[i].variable);
		r = each_element(variables[i].variable, add_path, &paths);
	}
	return r;
}

/* -------------------------------------------------------------------- ports */

struct port_variable {
	const char *name;
	uint64_t right;
};

static const struct port_variable port_variables[] = {
	{"LL_TCP_BIND", REEVE_NET_BIND_TCP},
	{"LL_TCP_CONNECT", REEVE_NET_CONNECT_TCP},
	{"LL_UDP_BIND", REEVE_NET_BIND_UDP},
	{"LL_UDP_CONNECT_SEND", REEVE_NET_CONNECT_SEND_UDP},
};

struct ports {
	struct sandboxer *box;
	uint64_t allowed, quiet;
};

static int add_port(void *data, const char *variable, const char *element)
{
	const struct ports *ports = data;
	struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.allowed = ports->allowed,
		.quiet = ports->quiet,
		.origin = variable};
	cli_autoescape char *shown = cli_escape(element);
	struct reeve_error err = {0};
	char *end;
	unsigned long port;

	if (!*element)
		return 0;
	errno = 0;
	port = strtoul(element, &end, 10);
	if (*element < '0' || *element > '9' || *end || errno || port > UINT16_MAX)
		return cli_fail(NULL, "%s: %s: expected a port, 0 to 65535", variable, shown);
	rule.port_first = rule.port_last = (uint16_t)port;
	return reeve_policy_add_rule(ports->box->policy, &rule, &err) < 0 ? failed(&err) : 0;
}

static int read_ports(struct sandboxer *box)
{
	int r = 0;

	for (size_t i = 0; i < CLI_COUNT(port_variables) && r == 0; i++) {
		struct ports ports = {box, port_variables[i].right, 0};

		if (box->handled.of[REEVE_NET] & port_variables[i].right)
			r = each_element(port_variables[i].name, add_port, &ports);
	}
	return r;
}

/* ------------------------------------------------------------------- scopes */

static int add_scope(void *data, const char *variable, const char *element)
{
	static const struct {
		const char *letter;
		uint64_t scope;
	} letters[] = {{"a", REEVE_SCOPE_ABSTRACT_UNIX_SOCKET}, {"s", REEVE_SCOPE_SIGNAL},
		{"u", REEVE_SCOPE_PATHNAME_UNIX_SOCKET}};
	uint64_t *scoped = &((struct sandboxer *)data)->handled.of[REEVE_SCOPE];
	cli_autoescape char *shown = cli_escape(element);

	for (size_t i = 0; i < CLI_COUNT(letters); i++) {
		if (strcmp(element, letters[i].letter) != 0)
			continue;
		if (*scoped & letters[i].scope)
			return cli_fail(NULL, "%s: \"%s\" is there twice", variable, shown);
		*scoped |= letters[i].scope;
		return 0;
	}
	return cli_fail(NULL, "%s: unknown scope \"%s\": expected a, s or u, separated by colons",
		variable, shown);
}

/* -------------------------------------------------------------------- quiet */

static const struct {
	const char *word;
	enum reeve_class cls;
	uint64_t rights;
} quiet_words[] = {
	{"tcp_bind", REEVE_NET, REEVE_NET_BIND_TCP},
	{"tcp_connect", REEVE_NET, REEVE_NET_CONNECT_TCP},
	{"udp_bind", REEVE_NET, REEVE_NET_BIND_UDP},
	{"udp_connect", REEVE_NET, REEVE_NET_CONNECT_SEND_UDP},
	{"read", REEVE_FS, READ},
	{"write", REEVE_FS, ~(uint64_t)READ},
	{"abstract_unix_socket", REEVE_SCOPE, REEVE_SCOPE_ABSTRACT_UNIX_SOCKET},
	{"signal", REEVE_SCOPE, REEVE_SCOPE_SIGNAL},
	{"all", REEVE_FS, ~UINT64_C(0)},
	{"all", REEVE_NET, ~UINT64_C(0)},
	{"all", REEVE_SCOPE, ~UINT64_C(0)},
};

static int add_quiet(void *data, const char *variable, const char *element)
{
	struct sandboxer *box = data;
	cli_autoescape char *shown = cli_escape(element);
	bool known = !*element;

	for (size_t i = 0; i < CLI_COUNT(quiet_words); i++) {
		enum reeve_class cls = quiet_words[i].cls;

		if (strcmp(element, quiet_words[i].word) != 0)
			continue;
		box->quiet.of[cls] |= quiet_words[i].rights & box->handled.of[cls];
		known = true;
	}
	return known ? 0 : cli_fail(NULL, "%s: unknown access \"%s\"", variable, shown);
}

/* What LL_QUIET_ACCESS named must be possible: the kernel's part, and ours. */
static int check_quiet(const struct sandboxer *box)
{
	const struct reeve_feature *feature = reeve_feature_find("quiet");
	struct reeve_kernel kernel = {.size = sizeof(kernel)};
	char why[256] = "";

	if (box->quiet.of[REEVE_SCOPE])
		return cli_fail(
			"leave scopes out of LL_QUIET_ACCESS: name what else is to be quiet",
			"LL_QUIET_ACCESS: denials of scopes cannot be made quiet by this version");
	if (feature && reeve_kernel_probe(&kernel) == 0 &&
		reeve_feature_enforcer(feature, &kernel, why, sizeof(why)) == REEVE_BY_NOBODY)
		return cli_fail(NULL, "LL_QUIET_ACCESS: quiet %s", why);
	return 0;
}

/* LL_QUIET_ACCESS says what is quiet, LL_FS_QUIET and LL_NET_QUIET where. */
static int read_quiet(struct sandboxer *box)
{
	struct path_variable paths = {.box = box};
	struct ports ports = {.box = box};
	bool somewhere = getenv("LL_FS_QUIET") || getenv("LL_NET_QUIET");
	int r = 0;

	if (somewhere && !getenv("LL_QUIET_ACCESS"))
		return cli_fail("LL_QUIET_ACCESS=all",
			"sandboxer: LL_FS_QUIET and LL_NET_QUIET need LL_QUIET_ACCESS");
	if (getenv("LL_QUIET_ACCESS"))
		r = each_element("LL_QUIET_ACCESS", add_quiet, box);
	if (r == 0 && getenv("LL_QUIET_ACCESS"))
		r = check_quiet(box);
	paths.quiet = box->quiet.of[REEVE_FS];
	ports.quiet = box->quiet.of[REEVE_NET];
	if (r == 0 && getenv("LL_FS_QUIET") && paths.quiet)
		r = each_element("LL_FS_QUIET", add_path, &paths);
	if (r == 0 && getenv("LL_NET_QUIET") && ports.quiet)
		r = each_element("LL_NET_QUIET", add_port, &ports);
	return r;
}

/* ------------------------------------------------------------------ together */

static int read_handled(struct sandboxer *box)
{
	int r = 0;

	box->handled.of[REEVE_FS] = READ | WRITE;
	for (size_t i = 0; i < CLI_COUNT(port_variables); i++)
		if (getenv(port_variables[i].name))
			box->handled.of[REEVE_NET] |= port_variables[i].right;
	if (getenv("LL_SCOPED"))
		r = each_element("LL_SCOPED", add_scope, box);
	if (r == 0 && reeve_policy_handle(box->policy, &box->handled) < 0)
		r = cli_fail(NULL, "out of memory");
	return r;
}

/*
 * No variable of the sample speaks of connecting to UNIX sockets by path; the sample restricts it
 * where the kernel can (ABI 9). Elsewhere it stays possible, and that is said.
 */
static int allow_old_unix(struct sandboxer *box)
{
	const struct reeve_feature *feature = reeve_feature_find("fs.resolve_unix");
	struct reeve_kernel kernel = {.size = sizeof(kernel)};
	struct reeve_error err = {0};
	char why[256] = "";

	if (!feature || reeve_kernel_probe(&kernel) < 0 ||
		reeve_feature_enforcer(feature, &kernel, why, sizeof(why)) != REEVE_BY_NOBODY)
		return 0;
	fprintf(stderr,
		"reeve: warning: connecting to UNIX sockets by path is not restricted: "
		"fs.resolve_unix %s\n",
		why);
	return reeve_policy_degrade(box->policy, feature->name, &err) < 0 ? failed(&err) : 0;
}

static int read_environment(struct sandboxer *box, unsigned int *ret_flags)
{
	const char *force_log = getenv("LL_FORCE_LOG");
	int r;

	if (force_log && strcmp(force_log, "1") != 0)
		return cli_fail(NULL, "LL_FORCE_LOG: expected 1");
	if (force_log)
		*ret_flags |= REEVE_RESTRICT_LOG_NEW_EXEC_ON;
	r = read_handled(box);
	if (r == 0)
		r = read_paths(box);
	if (r == 0)
		r = read_ports(box);
	if (r == 0)
		r = read_quiet(box);
	return r ? r : allow_old_unix(box);
}

static void clean_environment(void)
{
	static const char *const variables[] = {"LL_FS_RO", "LL_FS_RW", "LL_FS_QUIET",
		"LL_NET_QUIET", "LL_QUIET_ACCESS", "LL_SCOPED", "LL_FORCE_LOG"};

	for (size_t i = 0; i < CLI_COUNT(variables); i++)
		unsetenv(variables[i]);
	for (size_t i = 0; i < CLI_COUNT(port_variables); i++)
		unsetenv(port_variables[i].name);
}

static int become(
	const struct reeve_policy *policy, unsigned int restrict_flags, char *const *command)
{
	struct reeve_exec_options exec = {
		.size = sizeof(exec), .restrict_flags = restrict_flags, .keep_all_fds = true};
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_new(policy, NULL, &plan, &err) < 0)
		return failed(&err);
	clean_environment();
	reeve_plan_exec(plan, command, &exec, &err);
	cli_print_error(&err);
	fflush(NULL);
	_exit(reeve_exec_exit_code(&err));
}

static int run_sandboxer(void *data, const struct cli_operands *operands)
{
	struct sandboxer box = {0};
	cli_autopolicy *policy = NULL;
	struct reeve_log log = {cli_log, NULL};
	struct reeve_error err = {0};
	unsigned int flags = 0;
	int r;

	(void)data;
	if (operands->count == 0)
		return cli_fail("LL_FS_RO=/usr LL_FS_RW=/tmp reeve sandboxer CMD",
			"sandboxer: say what to run");
	if (reeve_policy_new(&policy) < 0)
		return cli_fail(NULL, "out of memory");
	reeve_policy_set_log(policy, &log);
	box.policy = policy;
	r = read_environment(&box, &flags);
	if (r)
		return r;
	if (reeve_policy_resolve(policy, NULL, &err) < 0)
		return failed(&err);
	return become(policy, flags, operands->items);
}

static const struct cli_option options[] = {{0}};

static const char text[] =
	"Variables (lists are separated by colons):\n"
	"  LL_FS_RO             paths to read and execute; must be set, may be empty\n"
	"  LL_FS_RW             paths to read, execute and write; the same\n"
	"  LL_TCP_BIND          ports to bind; not set: all, empty: none; the same for\n"
	"  LL_TCP_CONNECT       ports to connect to\n"
	"  LL_UDP_BIND          UDP ports to bind\n"
	"  LL_UDP_CONNECT_SEND  UDP ports to connect or send to\n"
	"  LL_SCOPED            a: abstract UNIX sockets, s: signals, u: pathname UNIX\n"
	"                       sockets stay within the sandbox\n"
	"  LL_QUIET_ACCESS      denials not to log: all, read, write, tcp_bind,\n"
	"                       tcp_connect, udp_bind, udp_connect,\n"
	"                       abstract_unix_socket, signal; on the\n"
	"  LL_FS_QUIET          paths and\n"
	"  LL_NET_QUIET         ports named here\n"
	"  LL_FORCE_LOG         1: log denials of the program to the audit log\n"
	"\n"
	"They are removed from CMD's environment. Unlike the kernel's sample, which drops\n"
	"what an older kernel lacks, this fails (125) and names it.\n"
	"\n"
	"Example:\n"
	"  LL_FS_RO=/usr:/etc:/lib:/lib64 LL_FS_RW=/tmp LL_TCP_BIND= \\\n"
	"    reeve sandboxer ls /tmp\n";

const struct cli_verb cli_verb_sandboxer = {
	.name = "sandboxer",
	.synopsis = "[--] CMD [ARG]...",
	.summary = "Run a program as the kernel's sample sandboxer does",
	.text = text,
	.options = options,
	.first_operand_ends = true,
	.complete = CLI_COMMANDS,
	.run = run_sandboxer,
};
