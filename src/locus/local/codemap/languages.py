"""The languages whose definitions are read: a row each, with the grammar and the pattern that finds them.

A pattern captures the whole definition under the word for its kind, and its name as `name`.
"""

from collections.abc import Mapping
from posixpath import splitext

from msgspec import Struct


class Language(Struct, frozen=True):
    """How files of one language are recognised and read. `grammar` is a module, `entry` its function."""

    name: str
    suffixes: tuple[str, ...]
    grammar: str
    query: str
    entry: str = "language"


_PYTHON = """
(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function
(module (expression_statement (assignment left: (identifier) @name) @constant))
"""

_JAVASCRIPT = """
(class_declaration name: (_) @name) @class
(function_declaration name: (identifier) @name) @function
(generator_function_declaration name: (identifier) @name) @function
(method_definition name: (property_identifier) @name) @method
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (variable_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(assignment_expression left: (member_expression property: (property_identifier) @name)
  right: [(function_expression) (arrow_function)]) @function
"""

_TYPESCRIPT = (
    _JAVASCRIPT
    + """
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @enum
(function_signature name: (identifier) @name) @function
(internal_module name: (identifier) @name) @module
"""
)

_GO = """
(function_declaration name: (identifier) @name) @function
(method_declaration name: (field_identifier) @name) @method
(type_spec name: (type_identifier) @name) @type
(source_file (const_declaration (const_spec name: (identifier) @name) @constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @constant))
"""

_RUST = """
(struct_item name: (type_identifier) @name) @struct
(enum_item name: (type_identifier) @name) @enum
(union_item name: (type_identifier) @name) @union
(trait_item name: (type_identifier) @name) @trait
(type_item name: (type_identifier) @name) @type
(function_item name: (identifier) @name) @function
(mod_item name: (identifier) @name) @module
(macro_definition name: (identifier) @name) @macro
(source_file (const_item name: (identifier) @name) @constant)
(source_file (static_item name: (identifier) @name) @constant)
"""

_JAVA = """
(class_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @interface
(enum_declaration name: (identifier) @name) @enum
(record_declaration name: (identifier) @name) @record
(method_declaration name: (identifier) @name) @method
"""

_C = """
(function_definition declarator: (function_declarator declarator: (identifier) @name)) @function
(function_definition declarator: (pointer_declarator
  declarator: (function_declarator declarator: (identifier) @name))) @function
(struct_specifier name: (type_identifier) @name body: (_)) @struct
(enum_specifier name: (type_identifier) @name body: (_)) @enum
(type_definition declarator: (type_identifier) @name) @type
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro
"""

_CPP = (
    _C
    + """
(class_specifier name: (type_identifier) @name body: (_)) @class
(namespace_definition name: (namespace_identifier) @name) @namespace
(function_definition declarator: (function_declarator declarator: (field_identifier) @name)) @method
(function_definition declarator: (function_declarator
  declarator: (qualified_identifier name: (identifier) @name))) @method
"""
)

_RUBY = """
(class name: (_) @name) @class
(module name: (_) @name) @module
(method name: (_) @name) @method
(singleton_method name: (_) @name) @method
(assignment left: (constant) @name) @constant
"""

_PHP = """
(class_declaration name: (name) @name) @class
(interface_declaration name: (name) @name) @interface
(trait_declaration name: (name) @name) @trait
(enum_declaration name: (name) @name) @enum
(function_definition name: (name) @name) @function
(method_declaration name: (name) @name) @method
"""

_C_SHARP = """
(class_declaration name: (identifier) @name) @class
(interface_declaration name: (identifier) @name) @interface
(struct_declaration name: (identifier) @name) @struct
(enum_declaration name: (identifier) @name) @enum
(record_declaration name: (identifier) @name) @record
(method_declaration name: (identifier) @name) @method
"""

LANGUAGES: tuple[Language, ...] = (
    Language("Python", (".py", ".pyi"), "tree_sitter_python", _PYTHON),
    Language("JavaScript", (".js", ".jsx", ".mjs", ".cjs"), "tree_sitter_javascript", _JAVASCRIPT),
    Language("TypeScript", (".ts", ".mts", ".cts"), "tree_sitter_typescript", _TYPESCRIPT, "language_typescript"),
    Language("TSX", (".tsx",), "tree_sitter_typescript", _TYPESCRIPT, "language_tsx"),
    Language("Go", (".go",), "tree_sitter_go", _GO),
    Language("Rust", (".rs",), "tree_sitter_rust", _RUST),
    Language("Java", (".java",), "tree_sitter_java", _JAVA),
    Language("C", (".c", ".h"), "tree_sitter_c", _C),
    Language("C++", (".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"), "tree_sitter_cpp", _CPP),
    Language("Ruby", (".rb", ".rake"), "tree_sitter_ruby", _RUBY),
    Language("PHP", (".php",), "tree_sitter_php", _PHP, "language_php"),
    Language("C#", (".cs",), "tree_sitter_c_sharp", _C_SHARP),
)
BY_SUFFIX: Mapping[str, Language] = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
BY_NAME: Mapping[str, Language] = {language.name: language for language in LANGUAGES}

# Text that is read for its words, and has no definitions that we know of.
PROSE: Mapping[str, str] = {
    **dict.fromkeys((".md", ".markdown", ".mdx", ".rst", ".txt", ".adoc"), "Text"),
    **dict.fromkeys((".html", ".htm", ".jinja", ".j2", ".erb", ".vue", ".svelte", ".astro"), "Templates"),
    **dict.fromkeys((".css", ".scss", ".less"), "Styles"),
    **dict.fromkeys((".toml", ".cfg", ".ini", ".yml", ".yaml", ".xml", ".gradle", ".cmake"), "Configuration"),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".ps1", ".bat"), "Shell"),
    **dict.fromkeys((".sql", ".graphql", ".proto"), "Schemas"),
    **dict.fromkeys((".kt", ".swift", ".scala", ".ex", ".exs", ".erl", ".hs", ".lua", ".pl", ".r", ".dart"), "Code"),
}
NAMED: Mapping[str, str] = {
    **dict.fromkeys(("Makefile", "Dockerfile", "Jenkinsfile", "Procfile"), "Configuration"),
    **dict.fromkeys(("Rakefile", "Gemfile"), "Ruby"),
    "package.json": "Configuration",
}


def language_of(path: str) -> str | None:
    """The language of a file by its name; None for one whose content is not read."""
    name = path.rpartition("/")[2]
    suffix = splitext(name)[1].lower()
    if suffix in BY_SUFFIX:
        return BY_SUFFIX[suffix].name
    return NAMED.get(name) or PROSE.get(suffix)
