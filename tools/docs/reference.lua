-- The reference as data: what the live module holds, joined with the annotations of the sources and
-- the texts of lua/nnlua/meta/texts. `problems` says where the three do not agree.
--
-- A texts file: {intro=, source=, errors=, arguments={name=text}, entries={name=entry},
-- methods={class={name=entry}}, fields={class={name=text}}, internal={class="names"}}.
-- An entry: {summary, args=, shapes=, returns=, errors=, paper=, source=, example=, signature=}, or
-- the summary alone. `source` of a page may hold %s for the name.

local annotations = require "tools.docs.annotations"
local live = require "tools.docs.live"
local pages = require "tools.docs.pages"

local reference = {}

local TEXTS = "lua/nnlua/meta/texts/"

-- A page's texts; a long page goes on in NAME_2.lua and NAME_3.lua.
local function texts_of(id)
  local texts = {}
  for _, name in ipairs {id, id .. "_2", id .. "_3"} do
    local file = io.open(TEXTS .. name .. ".lua")
    if file then
      file:close()
      for key, value in pairs(dofile(TEXTS .. name .. ".lua")) do
        if type(value) == "table" then
          local all = texts[key] or {}
          for k, v in pairs(value) do all[k] = v end
          value = all
        end
        texts[key] = value
      end
    end
  end
  return texts
end

local common = dofile(TEXTS .. "common.lua")

local function first_sentence(text)
  return text and text:gsub("\n", " ")
end

-- One argument as text: name, or name=default.
local function argument_text(a)
  if a.plain or a.required then return a.name end
  local d = a.default
  if d == nil then return a.name .. "=nil" end
  local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and ("%q"):format(v) or tostring(v) end
    local list = {}
    for i, x in ipairs(v) do list[i] = show(x) end
    return "{" .. table.concat(list, ", ") .. "}"
  end
  return a.name .. "=" .. show(d)
end

reference.argument_text = argument_text

local function signature_text(item)
  local list = {}
  for i, a in ipairs(item.signature or {}) do list[i] = argument_text(a) end
  return item.full .. "(" .. table.concat(list, ", ") .. ")"
end

-- What an argument is: the entry's words, the annotation's, the page's, everyone's.
local function describe_arguments(item, text, note, texts)
  item.arguments = {}
  for i, a in ipairs(item.signature or {}) do
    item.arguments[i] = {
      name = a.name, default = a.default, required = a.required, plain = a.plain,
      text = text.args and text.args[a.name] or note and note.params[a.name]
        or texts.arguments and texts.arguments[a.name] or common.arguments[a.name],
    }
  end
end

local function source_of(item, text, texts)
  local source = text.source or texts.source and texts.source:gsub("%%s", item.name)
  if text.paper then return source and text.paper .. "; " .. source or text.paper end
  return source
end

local function fill(item, text, note, texts)
  item.documented = text ~= nil or note ~= nil
  if type(text) == "string" then text = {text} end
  text = text or {}
  item.summary = text[1] or text.summary or note and first_sentence(note.text)
  item.shapes = text.shapes or texts.shapes
  item.returns = text.returns or note and note.returns[1] and table.concat(note.returns, "; ")
    or texts.returns
  item.errors = text.errors or texts.errors or common.errors
  item.source = source_of(item, text, texts)
  item.example = text.example
  describe_arguments(item, text, note, texts)
  item.text_args = text ~= common.methods[item.name] and text.args or nil
  item.signature_text = text.signature and item.full .. text.signature or signature_text(item)
end

local function namespace_items(page, space, texts, blocks, of_value)
  local items = {}
  local entries = texts.entries or {}
  for _, name in ipairs(space.only or live.names(space.value)) do
    local value = space.value[name]
    local item = {name = name, full = space.prefix .. name, kind = live.kind(value),
      value = value, signature = live.signature(value), page = page.id}
    local note = item.kind ~= "class" and annotations.find(blocks, name, space.files) or nil
    local text = entries[space.prefix .. name] or entries[name]
    fill(item, text, note, texts)
    if type(value) ~= "string" and item.kind ~= "table" then
      local first = of_value[value]
      if first and not text then
        item.alias_of = first
      elseif text and first and not first.own_text then
        first.alias_of = item
        of_value[value] = item
      end
      of_value[value] = of_value[value] or item
      item.own_text = text ~= nil
    end
    items[#items + 1] = item
  end
  return items
end

local function method_items(page, class, texts, blocks)
  local methods, fields = live.methods(class.value)
  local entries = texts.methods and texts.methods[class.name] or {}
  local internal, names, items = {init = true, is = true}, {}, {}
  for word in (texts.internal and texts.internal[class.name] or ""):gmatch "%S+" do
    internal[word] = true
  end
  for name in pairs(methods) do if not internal[name] then names[#names + 1] = name end end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = methods[name]
    local item = {name = name, full = class.object .. ":" .. name, kind = "method", value = value,
      signature = live.signature(value), page = page.id, class = class.name}
    local text = entries[name] or common.methods[name]
    fill(item, text, annotations.find(blocks, name, class.files, class.name)
      or annotations.find(blocks, name, class.files), {arguments = texts.arguments})
    items[#items + 1] = item
  end
  local own = texts.fields and texts.fields[class.name] or {}
  for name in pairs(own) do fields[name] = true end
  local list = {}
  for name in pairs(fields) do
    if not internal[name] then list[#list + 1] = {name = name, text = own[name]} end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return {name = class.name, object = class.object, methods = items, fields = list,
    internal = internal}
end

--- The pages, each with `texts`, `sections` (items by namespace) and `classes`.
function reference.build()
  local blocks = annotations.all(annotations.files())
  local out, of_value = {}, {}
  for i, page in ipairs(pages) do
    local texts = texts_of(page.id)
    local built = {id = page.id, title = page.title, intro = texts.intro, texts = texts,
      spaces = page.spaces, sections = {}, classes = {}}
    for k, space in ipairs(page.spaces) do
      built.sections[k] = {prefix = space.prefix,
        items = namespace_items(page, space, texts, blocks, of_value)}
    end
    for k, class in ipairs(page.classes) do
      built.classes[k] = method_items(page, class, texts, blocks)
    end
    out[i] = built
  end
  return out
end

--- f(item, page) for every item.
function reference.each(built, f)
  for _, page in ipairs(built) do
    for _, section in ipairs(page.sections) do
      for _, item in ipairs(section.items) do f(item, page) end
    end
    for _, class in ipairs(page.classes) do
      for _, item in ipairs(class.methods) do f(item, page) end
    end
  end
end

local function check_arguments(list, item)
  if item.kind == "table" then return end
  local known = {}
  for _, a in ipairs(item.arguments) do
    known[a.name] = true
    if not a.text then
      list[#list + 1] = ("%s: argument %s has no text"):format(item.full, a.name)
    end
  end
  for name in pairs(item.text_args or {}) do
    if not known[name] then
      list[#list + 1] = ("%s: there is no argument %s"):format(item.full, name)
    end
  end
end

local function check_entries(list, page)
  local known = {}
  for _, section in ipairs(page.sections) do
    for _, item in ipairs(section.items) do known[item.name], known[item.full] = true, true end
  end
  for name in pairs(page.texts.entries or {}) do
    if not known[name] then list[#list + 1] = ("%s: %s is not there"):format(page.id, name) end
  end
  for class_name, entries in pairs(page.texts.methods or {}) do
    local there = {}
    for _, class in ipairs(page.classes) do
      if class.name == class_name then
        for _, item in ipairs(class.methods) do there[item.name] = true end
      end
    end
    for name in pairs(entries) do
      if not there[name] then
        list[#list + 1] = ("%s: there is no method %s:%s"):format(page.id, class_name, name)
      end
    end
  end
end

--- Where names, arguments and texts disagree: a list of sentences.
function reference.problems(built)
  local list = {}
  reference.each(built, function(item)
    if not item.alias_of then
      if not item.documented then list[#list + 1] = item.full .. ": no entry" end
      if item.documented and (item.summary or "") == "" then
        list[#list + 1] = item.full .. ": no summary"
      end
      check_arguments(list, item)
      if not item.example and item.kind ~= "method" and item.kind ~= "table"
        and item.page ~= "ops" then
        list[#list + 1] = item.full .. ": no example"
      end
    end
  end)
  for _, page in ipairs(built) do
    check_entries(list, page)
    for _, class in ipairs(page.classes) do
      for _, field in ipairs(class.fields) do
        if not field.text then
          list[#list + 1] = ("%s.%s: the field has no text"):format(class.name, field.name)
        end
      end
    end
  end
  table.sort(list)
  return list
end

return reference
