-- The reference as HTML: one page a namespace, no scripts but the search box's, light and dark.

local html = {}

local STYLE = [[
:root{--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d8dee4;--code:#f4f6f8;--link:#0a58ca}
@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e4e8ec;--soft:#9aa4af;--line:#30363d;
--code:#1d2228;--link:#79b0ff}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.55 system-ui,sans-serif;display:flex}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
nav{flex:0 0 15rem;height:100vh;position:sticky;top:0;overflow:auto;padding:1.2rem;
border-right:1px solid var(--line)}nav a{display:block;padding:.1rem 0}nav b{display:block}
nav input{width:100%;margin:.6rem 0;padding:.35rem;color:inherit;background:var(--code);
border:1px solid var(--line);border-radius:4px}
main{flex:1;min-width:0;max-width:56rem;padding:1.2rem 2rem 6rem}
h1{font-size:1.7rem}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
h3{margin:2.2rem 0 .3rem;font-size:1.05rem}
code,pre{font:.875em/1.5 ui-monospace,Menlo,Consolas,monospace;background:var(--code);
border-radius:4px}code{padding:.1em .25em}pre{padding:.7rem .9rem;overflow:auto}
pre code{padding:0;font-size:1em}dt{font-weight:600;margin-top:.4rem}dd{margin:0 0 0 1.2rem}
dd p{margin:0}.s{color:var(--soft)}.i{columns:14rem;padding:0;list-style:none}
@media(max-width:50rem){body{display:block}nav{height:auto;position:static;border:0}
main{padding:1rem}}
]]

local SEARCH = [[
var q=document.getElementById('q'),r=document.getElementById('r');
q.oninput=function(){var t=q.value.toLowerCase();r.textContent='';if(t.length<2)return;
INDEX.filter(function(n){return n[0].toLowerCase().indexOf(t)>=0}).slice(0,30)
.forEach(function(n){var a=document.createElement('a');a.href=n[1];a.textContent=n[0];
r.appendChild(a)})}
]]

local function escape(text)
  return (text:gsub("[&<>\"]", {["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
    ['"'] = "&quot;"}))
end

-- Text with `code` in it.
local function prose(text)
  return (escape(text):gsub("`([^`]+)`", "<code>%1</code>"):gsub("\n\n", "</p><p>"))
end

local function anchor(item)
  return (item.class and item.class .. "." or "") .. (item.full:match "schedules%.(.+)$"
    or item.name)
end

html.anchor = anchor

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

local function navigation(pages)
  local list = {'<nav><b><a href="index.html">nnlua</a></b>',
    '<input id="q" placeholder="Search" aria-label="Search"><div id="r"></div>'}
  for _, page in ipairs(pages) do
    list[#list + 1] = ('<a href="%s.html">%s</a>'):format(page.id, escape(page.title))
  end
  list[#list + 1] = '<a href="c-api.html">C API of hosts</a></nav>'
  return table.concat(list, "\n")
end

local function shell(pages, title, body)
  return ('<!doctype html><html lang="en"><meta charset="utf-8">'
    .. '<meta name="viewport" content="width=device-width"><title>%s - nnlua</title>'
    .. '<link rel="stylesheet" href="style.css">\n%s<main><h1>%s</h1>\n%s</main>'
    .. '<script src="search.js"></script></html>\n'):format(escape(title), navigation(pages),
    escape(title), body)
end

local function row(out, term, text)
  if text and text ~= "" then
    out[#out + 1] = ("<dt>%s</dt><dd><p>%s</p></dd>"):format(term, prose(text))
  end
end

local function arguments(out, item)
  local list = item.arguments or {}
  if #list == 0 then return end
  out[#out + 1] = "<dt>Arguments</dt><dd>"
  for _, a in ipairs(list) do
    local default = ""
    if not a.plain and not a.required then
      local text = require("tools.docs.reference").argument_text(a):match "=(.*)$"
      default = (' <span class="s">= %s</span>'):format(escape(text))
    end
    out[#out + 1] = ("<div><code>%s</code>%s %s</div>"):format(escape(a.name), default,
      prose(a.text or ""))
  end
  out[#out + 1] = "</dd>"
end

local function show_item(out, item)
  out[#out + 1] = ('<h3 id="%s">%s</h3>'):format(anchor(item), escape(item.full))
  if item.alias_of then
    out[#out + 1] = ('<p>Another name of <a href="%s.html#%s">%s</a>.</p>'):format(
      item.alias_of.page, anchor(item.alias_of), escape(item.alias_of.full))
    return
  end
  if item.kind ~= "table" then
    out[#out + 1] = ("<pre><code>%s</code></pre>"):format(escape(item.signature_text))
  end
  out[#out + 1] = ("<p>%s</p><dl>"):format(prose(item.summary or ""))
  arguments(out, item)
  row(out, "Shapes", item.shapes)
  row(out, "Returns", item.returns)
  row(out, "Errors", item.errors)
  row(out, "Source", item.source)
  if item.example then
    out[#out + 1] = ("<dt>Example</dt><dd><pre><code>%s</code></pre></dd>"):format(
      escape((item.example:gsub("^\n", ""):gsub("%s+$", ""))))
  end
  out[#out + 1] = "</dl>"
end

local function contents(out, items)
  out[#out + 1] = '<ul class="i">'
  for _, item in ipairs(items) do
    out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(anchor(item), escape(item.name))
  end
  out[#out + 1] = "</ul>"
end

local function show_class(out, class)
  out[#out + 1] = ('<h2 id="class.%s">Methods of %s</h2>'):format(class.name, class.name)
  contents(out, class.methods)
  if #class.fields > 0 then
    out[#out + 1] = "<dl><dt>Fields</dt><dd>"
    for _, field in ipairs(class.fields) do
      out[#out + 1] = ("<div><code>%s.%s</code> %s</div>"):format(class.object, field.name,
        prose(field.text or ""))
    end
    out[#out + 1] = "</dd></dl>"
  end
  for _, item in ipairs(class.methods) do show_item(out, item) end
end

local function page_body(page)
  local out = {("<p>%s</p>"):format(prose(page.intro or ""))}
  for _, section in ipairs(page.sections) do
    if #page.sections > 1 then
      out[#out + 1] = ("<h2>%s*</h2>"):format(escape(section.prefix))
    end
    contents(out, section.items)
    for _, item in ipairs(section.items) do show_item(out, item) end
  end
  for _, class in ipairs(page.classes) do show_class(out, class) end
  return table.concat(out, "\n")
end

local function index_body(pages)
  local out = {"<p>Neural networks in C, driven from Lua, with the names, numbers and files of "
    .. "Keras 3.15.1. Arguments go in one record, <code>nn.layers.Dense{5, activation=&quot;relu"
    .. "&quot;}</code>, or by position, <code>nn.layers.Dense(5)</code>; positions and axes count "
    .. "from 1, class ids from 0. Every failure is a Lua error at the caller's line.</p>"}
  for _, page in ipairs(pages) do
    out[#out + 1] = ('<h3><a href="%s.html">%s</a></h3><p>%s</p>'):format(page.id,
      escape(page.title), prose((page.intro or ""):match "^(.-%.)%s" or page.intro or ""))
  end
  return table.concat(out, "\n")
end

local function search_index(pages)
  local list = {}
  require("tools.docs.reference").each(pages, function(item, page)
    list[#list + 1] = ('["%s","%s.html#%s"]'):format(escape(item.full), page.id, anchor(item))
  end)
  return "var INDEX=[" .. table.concat(list, ",\n") .. "];\n" .. SEARCH
end

-- The header as it stands: its first comment as text, then its sections.
local function c_api(header)
  local top = header:match "^/%*(.-)%*/":gsub("\n %* ?", "\n")
  local body = header:match "struct lua_State;\n(.-)#ifdef __cplusplus\n}" or header
  local out = {("<pre><code>%s</code></pre>"):format(escape(top))}
  local title, part = "The module", {}
  local function finish()
    out[#out + 1] = ("<h2>%s</h2><pre><code>%s</code></pre>"):format(escape(title),
      escape((table.concat(part, "\n"):gsub("NNLUA_API ", ""))))
    part = {}
  end
  for line in body:gmatch "([^\n]*)\n" do
    local heading = line:match "^/%* %-%-%- (.-) %-+ %*/$"
    if heading then
      finish()
      title = heading
    else
      part[#part + 1] = line
    end
  end
  finish()
  return table.concat(out, "\n")
end

--- Writes all pages into a folder.
function html.write(pages, folder)
  for _, page in ipairs(pages) do
    write(folder .. "/" .. page.id .. ".html", shell(pages, page.title, page_body(page)))
  end
  local header = assert(io.open "src/nnlua.h"):read "a"
  write(folder .. "/c-api.html", shell(pages, "C API of hosts", c_api(header)))
  write(folder .. "/index.html", shell(pages, "nnlua: the reference", index_body(pages)))
  write(folder .. "/style.css", STYLE)
  write(folder .. "/search.js", search_index(pages))
end

return html
