/** What a schema gives, as those who receive it may use it: nobody changes a request or a view in place. */
export type Immutable<T> = T extends string | number | boolean | bigint | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : { readonly [Key in keyof T]: Immutable<T[Key]> };
