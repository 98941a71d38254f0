declare const brand: unique symbol;

/** A `Base` that only a parser or a constructor can make: `Branded<number, 'Offset'>` is not any number. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
