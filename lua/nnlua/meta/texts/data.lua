-- Texts of nn.data and nn.datasets for the reference; see tools/docs/reference.lua.
-- Its lines are longer than 100 columns because a text, or an example, stands in one line.

local csv = {
  delimiter = "Between cells; nil: a comma.", quote = "Around cells; false: none; nil: \".",
  header = "false names the columns c1, c2, ...", names = "Names of the columns.",
  na = "Further texts for missing cells.", types = "name -> \"number\" or \"text\".",
  decimal = "The decimal point; nil: \".\".", thousands = "Between groups of digits; nil: nothing.",
  comment = "What lines to leave out begin with.", trim = "Cut blanks around text.",
}

local dataset_of_csv = {
  label = "Columns that are y.",
  map = "f(table) that gives x, y, sample_weight.", portion = "Rows read at a time.",
  shuffle = "Mix the rows inside each portion.", prefetch = "Read ahead in a thread.",
  keep = "Put x and y aside in a temporary file for later passes; None: where there is no `map`.",
}

for name, text in pairs(csv) do dataset_of_csv[name] = text end
csv.text = "Parse this instead of a file."

local write = [[
local path = os.tmpname()
local file = io.open(path, "w")
file:write "age,city\n30,Ulm\n40,Bonn\n"
file:close()
]]

local table_ = [[
local t = nn.data.Table.from_columns{{"age", {30, 40}}, {"city", {"Ulm", "Bonn"}}}
]]

local dataset = "local d = nn.data.Dataset.from_tensors{nn.arange(4), nn.arange(4)}\n"

local function keras_set(text, shapes)
  return {text .. " `load_data(path)` reads Keras's file; nothing is downloaded.", shapes = shapes,
    returns = "{x_train, y_train}, {x_test, y_test}"}
end

return {
  intro = [[Files of data, tables of named columns, and data sets that fit takes. Readers check a
file wholly: an error names file, line and column.]],
  source = "nnlua",
  errors = "A file that is not there, or whose contents are malformed: the message says where.",
  arguments = {
    mmap = "Map the file: a read-only tensor that may be larger than memory.",
    tensor = "The tensor to write.", tensors = "name -> tensor.", a = "The first row, from 1; or a "
      .. "function of the row's number; or a list of rows.", b = "The last row; nil: the end.",
    names = "A list of names.", options = "Named arguments; `like` is a table that was "
      .. "fitted before.",
    columns = "{{name, cells}, ...} or name -> cells.", name = "A column's name.",
    parts = "{x, y, sample_weight}.", n = "A number, 0 or more.",
    fractions = "A list; their sum is 1 "
      .. "at most.", values = "A list of cells.", rows = "Number of rows.",
  },
  entries = {
    csv = {"Reads a CSV file into a table of named columns.", args = csv, returns = "A Table.",
      example = write .. "print(nn.data.csv{path}:column(\"age\")[1]) --> 30.0"},
    csv_dataset = {[[Batches of a CSV file, read in portions, so that the file may be larger than
memory.]], args = dataset_of_csv, returns = "A Dataset.",
      example = write
        .. 'local d = nn.data.csv_dataset{path, label = "age", types = {city = "text"},'
        .. "\n"
        .. "  map = function(t) return t:select{\"age\"}:tensor() end, batch_size = 2}\n"
        .. "for x in d:iterate() do print(x.shape[1]) end --> 2"},
    npy = {"A tensor from a NumPy .npy file.", returns = "A tensor.", example = [[
local path = os.tmpname()
nn.data.save_npy(path, nn.tensor{1, 2})
print(nn.data.npy(path)) --> [1. 2.]
]]},
    idx = {"A tensor from an IDX file (MNIST's format), plain or gzip-compressed.",
      returns = "A tensor.", example = [[
local path = os.tmpname()
local file = io.open(path, "wb")
file:write("\0\0\8\1\0\0\0\2\5\6")
file:close()
print(nn.data.idx(path)) --> [5 6]
]]},
    npz = {"The tensors of a NumPy .npz file by name.", returns = "name -> tensor.", example = [[
local path = os.tmpname()
nn.data.save_npz(path, {x = nn.tensor{1, 2}})
print(nn.data.npz(path).x) --> [1. 2.]
]]},
    save_npy = {"Writes a tensor as .npy, byte for byte as numpy.save.", returns = "Nothing.",
      example = "nn.data.save_npy(os.tmpname(), nn.tensor{1, 2})"},
    save_npz = {"Writes tensors by name as .npz.", returns = "Nothing.",
      example = "nn.data.save_npz(os.tmpname(), {x = nn.tensor{1, 2}})"},
    Table = {"Named columns of numbers or texts, with missing cells.", returns = "A table.",
      example = table_ .. "print(t:select{\"age\"}:tensor()) --> [[30.] [40.]]"},
    Dataset = {"Rows or batches that fit, evaluate and predict take.", returns = "A data set.",
      example = dataset .. "print(d:batch(2):cardinality()) --> 2"},
    mnist = keras_set("Hand-written digits.", "x uint8 (N, 28, 28), y (N,) 0 .. 9."),
    fashion_mnist = keras_set("Pictures of clothes.", "x uint8 (N, 28, 28), y (N,) 0 .. 9."),
    cifar10 = keras_set("Colour pictures of 10 kinds.", "x uint8 (N, 32, 32, 3), y (N, 1)."),
    cifar100 = keras_set("Colour pictures of 100 kinds.", "x uint8 (N, 32, 32, 3), y (N, 1)."),
    boston_housing = keras_set("Prices of houses.", "x (N, 13), y (N,) in 1000 dollars."),
    california_housing = keras_set("Prices of houses.", "x (N, 8), y (N,) in dollars."),
    imdb = "Always an error: Keras's file holds pickled Python objects.",
    reuters = "Always an error: Keras's file holds pickled Python objects.",
  },
  fields = {
    Table = {columns = "The names, in order."},
    Dataset = {count = "Number of elements; nil when unknown.", batched = "Elements are batches."},
  },
  internal = {Table = "make_column"},
  methods = {
    Table = {
      column = {"A column as a list; false stands for a missing cell.",
        example = table_ .. "print(t:column(\"city\")[2]) --> Bonn"},
      one_hot = {"0/1 columns for the categories of text columns.",
        example = table_ .. "print(#t:one_hot{binary = false}.columns) --> 3"},
      standardize = {"Number columns with mean 0 and standard deviation 1.",
        example = table_ .. "print(t:standardize():column(\"age\")[2]) --> 1.0"},
      rows = {"Rows a .. b, those that a function takes, or those of a list.",
        example = table_ .. "print(t:rows(2, 2):column(\"age\")[1]) --> 40.0"},
      select = {"The named columns, in that order.",
        example = table_ .. "print(#t:select{\"city\"}.columns) --> 1"},
      drop = {"All but the named columns.",
        example = table_ .. "print(t:drop{\"city\"}.columns[1]) --> age"},
      tensor = {"All columns as a tensor (rows, columns).",
        example = table_ .. "print(t:drop{\"city\"}:tensor()) --> [[30.] [40.]]"},
      with = {"A new column, or one replaced: f(row, i) for each row.",
        example = table_ .. "print(t:with(\"old\", function(row) return row.age * 2 end)"
          .. ":column(\"old\")[1]) --> 60.0"},
    },
    Dataset = {
      batch = {"Batches of n elements; the last may be short.", returns = "A data set.",
        example = dataset .. "print(d:batch{3, drop_remainder = true}:cardinality()) --> 1"},
      map = {"Every element through f(x, y, sample_weight).", example = dataset
        .. "for x in d:batch(4):map(function(x, y) return x * 2, y end):iterate() do\n"
        .. "  print(x:max():item())\nend --> 6"},
      iterate = {"An iterator of x, y, sample_weight.", example = dataset
        .. "local n = 0\nfor x, y in d:batch(2):iterate() do n = n + 1 end\nprint(n) --> 2"},
      take = {"The first n elements.", example = dataset .. "print(d:take(3):cardinality()) --> 3"},
      skip = {"All but the first n.", example = dataset .. "print(d:skip(3):cardinality()) --> 1"},
      split = {"Data sets of consecutive parts.", returns = "A data set for each fraction.",
        example = dataset .. "local a, b = d:split{0.75, 0.25}\nprint(b:cardinality()) --> 1"},
      shuffle = {"Elements in a random order.", args = {a = "buffer_size, seed, "
        .. "reshuffle_each_iteration."},
        example = dataset .. "print(d:shuffle{seed = 1}:cardinality()) --> 4"},
    },
  },
}
