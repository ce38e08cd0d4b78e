std = "lua54"
max_line_length = 100
cache = false
exclude_files = {"build", "**/rocks", "**/meta/*"}

-- A hook or a layer's method keeps the arguments of its contract, whether it uses them or not.
unused_args = false

-- `not (x >= 0)` is written on purpose: NaN is no number of 0 or more.
ignore = {"581"}

files["spec"] = {std = "+busted", ignore = {"631/.*https?://"}}
files["examples"] = {allow_defined_top = true}
files["spec/bits/cases.lua"] = {read_globals = {"threads"}, globals = {"report"}}
