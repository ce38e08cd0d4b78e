-- Texts of the functions that every namespace of named parts has: get, serialize, deserialize,
-- names, name_of. `name`: a string that `get` takes; `class`: its class.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

return function(space, name, class, entries, classes_only)
  local function add(key, entry)
    entry.shapes = ""
    entries[key] = entries[key] or entry
  end
  add("get", {"The part that an identifier names; objects and functions come back as they are.",
    returns = "An object or a function; nil for nil.",
    errors = "An unknown name; the message suggests the nearest.",
    example = ("print(nn.%s.get(%q) ~= nil) --> true"):format(space, name)})
  add("serialize", {"An object as data: {module=, class_name=, config=, registered_name=}.",
    returns = "A table, or the name of a built-in function.",
    errors = "The value is no object of the namespace.",
    example = ("print(nn.%s.serialize(nn.%s.%s{}).class_name) --> %s"):format(space, space, class,
      class)})
  add("deserialize", {"The object from what `serialize` gave.",
  returns = "An object or a function.",
    errors = "An unknown class; the message suggests the nearest.",
    example = ("local data = nn.%s.serialize(nn.%s.%s{})\n"):format(space, space, class)
      .. ("print(nn.%s.deserialize(data).class_name) --> %s"):format(space, class)})
  add("names", {"The strings that `get` takes, sorted.", returns = "A list.",
    example = ("print(#nn.%s.names() > 0) --> true"):format(space)})
  if classes_only then return entries end
  add("name_of", {"Keras's name of a built-in function; nil for others.",
    returns = "A string or nil.", args = {fn = "A function."},
    example = ("print(nn.%s.name_of(print) == nil) --> true"):format(space)})
  return entries
end
